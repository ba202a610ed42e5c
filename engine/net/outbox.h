// Bytes on their way into a stream: what the kernel takes at once is never copied; the rest waits
// in two blocks at most, however many pieces it came in, and its size is known.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct outbox;
// Some bytes have gone (error 0), or the stream is broken (-errno). Never called from
// outbox_add. May close the stream.
typedef void (*outbox_progress_fn)(struct outbox *outbox, int error);

struct outbox {
  uv_stream_t *stream;
  outbox_progress_fn progress;
  uv_write_t request;
  char *flight; // what libuv is writing
  char *next;   // what comes behind it
  size_t next_size, next_capacity;
  uint64_t added; // bytes, since its beginning
};

void outbox_init(struct outbox *outbox, uv_stream_t *stream, outbox_progress_fn progress);
// In the stream's close callback, or when it was never opened.
void outbox_finish(struct outbox *outbox);
// Adds the parts, in order. 0, or -errno: the stream is broken or memory exhausted, close it.
int outbox_add(struct outbox *outbox, const uv_buf_t *parts, unsigned count);
size_t outbox_queued(const struct outbox *outbox); // bytes the kernel hasn't taken yet
