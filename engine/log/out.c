#include "log/out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

// A full disk may have room again; of all other errors nobody will read what comes.
static bool may_pass(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static void wait_for_room(int fd, int error) {
  if (error == EAGAIN)
    poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
  else if (may_pass(error))
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static void write_all(struct out *out, const char *bytes, size_t size) {
  while (size && !out->error && !out->stop) {
    ssize_t written = write(out->fd, bytes, size);
    if (written >= 0) {
      bytes += written;
      size -= (size_t)written;
    } else if (errno == EAGAIN || may_pass(errno)) {
      wait_for_room(out->fd, errno);
    } else if (errno != EINTR) {
      out->error = errno;
    }
  }
}

void out_flush(struct out *out) {
  write_all(out, out->buffer, out->used);
  out->used = 0;
}

void out_finish(struct out *out) {
  free(out->buffer);
  out->buffer = NULL;
}

void out_put_slowly(struct out *out, const char *bytes, size_t size) {
  if (!out->buffer) out->buffer = mem_resize(NULL, OUT_SIZE);
  while (size) {
    if (out->used == OUT_SIZE) out_flush(out);
    size_t part = size < OUT_SIZE - out->used ? size : OUT_SIZE - out->used;
    memcpy(out->buffer + out->used, bytes, part);
    out->used += part;
    bytes += part;
    size -= part;
  }
}
