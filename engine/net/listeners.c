#include "net/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/idmap.h"
#include "base/mem.h"
#include "net/tcp_listen.h"
#include "net/unix_socket.h"

struct listeners {
  struct loop *loop;
  struct idmap by_id;
};

struct listener {
  int fd;
  char *path; // NULL: TCP
  dev_t device;
  ino_t inode;
};

struct listeners *listeners_create(struct loop *loop) {
  struct listeners *listeners = mem_new(sizeof *listeners);
  listeners->loop = loop;
  return listeners;
}

static int hold(struct listeners *listeners, int fd, const char *path, uint64_t *id) {
  struct listener *listener = mem_new(sizeof *listener);
  struct stat info;
  listener->fd = fd;
  listener->path = mem_strdup(path);
  if (path && lstat(path, &info) == 0) {
    listener->device = info.st_dev;
    listener->inode = info.st_ino;
  }
  *id = loop_new_id(listeners->loop);
  idmap_set(&listeners->by_id, *id, listener);
  return listeners_block(listeners, *id);
}

int listeners_open_tcp(struct listeners *listeners, const char *host, uint16_t port, uint64_t *id,
                       uint16_t *bound) {
  int fd = tcp_listen(host, port, bound);
  return fd < 0 ? fd : hold(listeners, fd, NULL, id);
}

int listeners_open_unix(struct listeners *listeners, const char *path, uint64_t *id) {
  int fd = unix_socket_listen(path);
  return fd < 0 ? fd : hold(listeners, fd, path, id);
}

int listeners_fd(const struct listeners *listeners, uint64_t id) {
  const struct listener *listener = idmap_get(&listeners->by_id, id);
  return listener ? listener->fd : -1;
}

int listeners_block(struct listeners *listeners, uint64_t id) {
  int fd = listeners_fd(listeners, id);
  if (fd < 0) return -ENOENT;
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

// Only a file that is still the socket's own goes.
static void let_go(struct listener *listener) {
  struct stat info;
  if (listener->path && lstat(listener->path, &info) == 0 && info.st_dev == listener->device &&
      info.st_ino == listener->inode)
    unlink(listener->path);
  close(listener->fd);
  free(listener->path);
  free(listener);
}

bool listeners_cancel(struct listeners *listeners, uint64_t id) {
  struct listener *listener = idmap_remove(&listeners->by_id, id);
  if (!listener) return false;
  let_go(listener);
  return true;
}

void listeners_destroy(struct listeners *listeners) {
  if (!listeners) return;
  size_t at = 0;
  uint64_t id;
  void *listener;
  while (idmap_next(&listeners->by_id, &at, &id, &listener)) let_go(listener);
  idmap_finish(&listeners->by_id);
  free(listeners);
}
