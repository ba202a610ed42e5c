#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int fd_write_all(int fd, const void *bytes, size_t size) {
  for (const char *at = bytes; size;) {
    ssize_t written = write(fd, at, size);
    if (written >= 0) {
      at += written;
      size -= (size_t)written;
    } else if (errno == EAGAIN) {
      poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  return 0;
}

ssize_t fd_read(int fd, void *buffer, size_t size) {
  ssize_t count;
  do count = read(fd, buffer, size);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

ssize_t fd_read_waiting(int fd, void *buffer, size_t size) {
  ssize_t count;
  while ((count = fd_read(fd, buffer, size)) == -EAGAIN)
    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
  return count;
}

ssize_t fd_read_full(int fd, void *buffer, size_t size) {
  size_t total = 0;
  while (total < size) {
    ssize_t count = fd_read(fd, (char *)buffer + total, size - total);
    if (count < 0) return count;
    if (!count) break;
    total += (size_t)count;
  }
  return (ssize_t)total;
}

int fd_open(const char *path, int flags, mode_t mode) {
  int fd;
  do fd = open(path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

void fd_close(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void fd_claim_standard(void) {
  int fd;
  do fd = open("/dev/null", O_RDWR); // inherited by children, as 0 to 2 are
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}
