#include "log/fileio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

ssize_t fileio_read_at(int fd, void *buffer, size_t size, uint64_t offset) {
  size_t total = 0;
  while (total < size) {
    ssize_t count = pread(fd, (char *)buffer + total, size - total, (off_t)(offset + total));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (!count) break;
    total += (size_t)count;
  }
  return (ssize_t)total;
}

int fileio_write_at(int fd, const void *bytes, size_t size, uint64_t offset) {
  for (size_t total = 0; total < size;) {
    ssize_t count = pwrite(fd, (const char *)bytes + total, size - total, (off_t)(offset + total));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (!count) return -ENOSPC;
    total += (size_t)count;
  }
  return 0;
}

int fileio_writev(int fd, struct iovec *vector, int count) {
  while (count) {
    ssize_t written = writev(fd, vector, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -errno;
    if (!written) return -ENOSPC;
    while (count && (size_t)written >= vector->iov_len) {
      written -= (ssize_t)vector->iov_len;
      vector++;
      count--;
    }
    if (!count) break;
    vector->iov_base = (char *)vector->iov_base + written;
    vector->iov_len -= (size_t)written;
  }
  return 0;
}

int fileio_make_directory(const char *path) {
  if (mkdir(path, 0755) == 0 || errno == EEXIST) return 0;
  if (errno != ENOENT) return -errno;
  char *parent = mem_strdup(path);
  char *slash = strrchr(parent, '/');
  int result = -ENOENT;
  if (slash && slash != parent) {
    *slash = '\0';
    result = fileio_make_directory(parent);
  }
  free(parent);
  if (result == 0 && mkdir(path, 0755) != 0 && errno != EEXIST) result = -errno;
  return result;
}
