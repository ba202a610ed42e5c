#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/idmap.h"
#include "base/mem.h"

// More in one turn would keep everything else waiting; the rest stays in the kernel's queue.
enum { PER_TURN = 64, PASSED_MAX = 16 };

struct datagrams {
  struct loop *loop;
  struct idmap sockets;
};

struct box {
  struct datagrams *datagrams;
  uint64_t id;
  uv_poll_t poll;
  int fd;
  char *path; // NULL: an abstract name
};

static int address_of(struct sockaddr_un *address, socklen_t *size, const char *path) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
  memcpy(address->sun_path, path, length + 1);
  *size = sizeof *address;
  if (path[0] == '@') {
    address->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  }
  return 0;
}

static int clear_place(const char *path) {
  struct stat info;
  if (path[0] == '@') return 0;
  if (lstat(path, &info) < 0) return errno == ENOENT ? 0 : -errno;
  if (!S_ISSOCK(info.st_mode)) return -EEXIST;
  return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_at(const char *path) {
  struct sockaddr_un address;
  socklen_t size;
  int error = address_of(&address, &size, path);
  if (!error) error = clear_place(path);
  if (error) return error;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
  if (fd < 0) return -errno;
  // The mode of the socket becomes the file's, less the umask: there is no moment of a wider one.
  if (fchmod(fd, 0600) == 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
      bind(fd, (struct sockaddr *)&address, size) == 0)
    return fd;
  error = -errno;
  close(fd);
  return error;
}

union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

static void close_passed(const struct cmsghdr *header) {
  const char *data = (const char *)CMSG_DATA(header);
  for (size_t at = 0; at + sizeof(int) <= header->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
    int fd;
    memcpy(&fd, data + at, sizeof fd);
    close(fd);
  }
}

// Who wrote, and away with the descriptors that came along.
static struct ucred read_control(struct msghdr *message) {
  struct ucred sender = {.uid = (uid_t)-1};
  for (struct cmsghdr *it = CMSG_FIRSTHDR(message); it; it = CMSG_NXTHDR(message, it)) {
    if (it->cmsg_level != SOL_SOCKET) continue;
    if (it->cmsg_type == SCM_RIGHTS) close_passed(it);
    if (it->cmsg_type == SCM_CREDENTIALS) memcpy(&sender, CMSG_DATA(it), sizeof sender);
  }
  return sender;
}

// One text. False: there is none now.
static bool take_one(struct box *box) {
  char text[DATAGRAM_MAX];
  struct iovec part = {.iov_base = text, .iov_len = sizeof text};
  union control control;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control.space};
  ssize_t got = recvmsg(box->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return errno == EINTR;
  struct ucred sender = read_control(&message);
  if (message.msg_flags & MSG_TRUNC) return true;
  struct datagram_event *event = mem_new(sizeof *event + (size_t)got);
  event->event = (struct event){.kind = EV_DATAGRAM, .id = box->id};
  event->pid = sender.pid;
  event->uid = sender.uid;
  event->size_bytes = (size_t)got;
  memcpy(event->text, text, (size_t)got);
  loop_push(box->datagrams->loop, &event->event);
  return true;
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  for (int i = 0; status == 0 && i < PER_TURN; i++)
    if (!take_one(poll->data)) return;
}

static void on_closed(uv_handle_t *handle) {
  free(handle->data);
}

static void end(struct box *box) {
  idmap_remove(&box->datagrams->sockets, box->id);
  uv_poll_stop(&box->poll);
  fd_close(&box->fd);
  if (box->path) unlink(box->path);
  free(box->path);
  uv_close((uv_handle_t *)&box->poll, on_closed);
}

int datagrams_open(struct datagrams *datagrams, const char *path, uint64_t *id) {
  int fd = bind_at(path);
  if (fd < 0) return fd;
  struct box *box = mem_new(sizeof *box);
  *box = (struct box){.datagrams = datagrams, .id = loop_new_id(datagrams->loop), .fd = fd};
  int error = uv_poll_init(&datagrams->loop->uv, &box->poll, fd);
  if (error) {
    close(fd);
    free(box);
    return error;
  }
  box->poll.data = box;
  box->path = path[0] == '@' ? NULL : mem_strdup(path);
  idmap_set(&datagrams->sockets, box->id, box);
  uv_poll_start(&box->poll, UV_READABLE, on_readable);
  *id = box->id;
  return 0;
}

bool datagrams_cancel(struct datagrams *datagrams, uint64_t id) {
  struct box *box = idmap_get(&datagrams->sockets, id);
  if (box) end(box);
  return box != NULL;
}

struct datagrams *datagrams_create(struct loop *loop) {
  struct datagrams *datagrams = mem_new(sizeof *datagrams);
  datagrams->loop = loop;
  return datagrams;
}

void datagrams_destroy(struct datagrams *datagrams) {
  if (!datagrams) return;
  size_t at = 0;
  void *box;
  while (idmap_next(&datagrams->sockets, &at, NULL, &box)) end(box);
  idmap_finish(&datagrams->sockets);
  free(datagrams);
}
