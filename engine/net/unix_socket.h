// Unix stream sockets: the calls that libuv has no words for. Every descriptor is close-on-exec and
// non-blocking; results are a descriptor or 0, or -errno.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

// Binds and listens with mode 0600 from birth. A socket file whose listener is dead is replaced;
// -EADDRINUSE when it is alive, -EEXIST when the path is something else, -ENAMETOOLONG above 107
// bytes. The caller holds the lock that keeps others from doing the same at the same time.
int unix_socket_listen(const char *path);
// Connects; never waits: -EAGAIN when the listener's queue is full.
int unix_socket_connect(const char *path);
int unix_socket_accept(int listen_fd);
int unix_socket_pair(int fds[2]);
int unix_socket_peer(int fd, pid_t *pid, uid_t *uid);
// The other side has closed (not only shut down its sending side).
bool unix_socket_hung_up(int fd);
// Passes a descriptor to the other side with one byte; never waits: -EAGAIN when the queue is full.
int unix_socket_send_fd(int fd, int passed_fd);
// Takes one: *passed_fd is -1 when it got lost for want of descriptors. -EAGAIN when there is none
// now, -EPIPE at the end.
int unix_socket_receive_fd(int fd, int *passed_fd);
