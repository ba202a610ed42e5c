#include "net/unix_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { TYPE = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK };

static int address_of(struct sockaddr_un *address, const char *path) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  size_t size = strlen(path);
  if (size >= sizeof address->sun_path) return -ENAMETOOLONG;
  memcpy(address->sun_path, path, size + 1);
  return 0;
}

int unix_socket_connect(const char *path) {
  struct sockaddr_un address;
  int error = address_of(&address, path);
  if (error) return error;
  int fd = socket(AF_UNIX, TYPE, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  error = -errno;
  close(fd);
  return error;
}

// Removes a socket file nobody listens on any more.
static int clear_stale(const char *path) {
  struct stat info;
  if (lstat(path, &info) < 0) return errno == ENOENT ? 0 : -errno;
  if (!S_ISSOCK(info.st_mode)) return -EEXIST;
  int fd = unix_socket_connect(path);
  if (fd >= 0) close(fd);
  if (fd >= 0 || fd == -EAGAIN) return -EADDRINUSE;
  return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int unix_socket_listen(const char *path) {
  struct sockaddr_un address;
  int error = address_of(&address, path);
  if (!error) error = clear_stale(path);
  if (error) return error;
  int fd = socket(AF_UNIX, TYPE, 0);
  if (fd < 0) return -errno;
  // The mode of the socket becomes the file's, less the umask: there is no moment of a wider one.
  if (fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      chmod(path, 0600) == 0 && listen(fd, SOMAXCONN) == 0)
    return fd;
  error = -errno;
  close(fd);
  return error;
}

int unix_socket_accept(int listen_fd) {
  for (;;) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) return fd;
    if (errno != EINTR && errno != ECONNABORTED) return -errno;
  }
}

int unix_socket_pair(int fds[2]) {
  return socketpair(AF_UNIX, TYPE, 0, fds) < 0 ? -errno : 0;
}

int unix_socket_peer(int fd, pid_t *pid, uid_t *uid) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
  *pid = peer.pid;
  *uid = peer.uid;
  return 0;
}

bool unix_socket_hung_up(int fd) {
  struct pollfd poll_fd = {.fd = fd};
  return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLHUP | POLLERR)) != 0;
}

union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int unix_socket_send_fd(int fd, int passed_fd) {
  char byte = 0;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                      .cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof passed_fd);
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control.space};
  ssize_t sent;
  do sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int unix_socket_receive_fd(int fd, int *passed_fd) {
  char byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union control control;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control.space};
  ssize_t got;
  do got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  *passed_fd = -1;
  if (got < 0) return -errno;
  if (got == 0) return -EPIPE;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(passed_fd, CMSG_DATA(header), sizeof *passed_fd);
  return 0;
}
