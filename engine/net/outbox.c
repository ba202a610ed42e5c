#include "net/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 4 };

void outbox_init(struct outbox *outbox, uv_stream_t *stream, outbox_progress_fn progress) {
  *outbox = (struct outbox){.stream = stream, .progress = progress};
}

void outbox_finish(struct outbox *outbox) {
  free(outbox->flight);
  free(outbox->next);
  outbox->flight = outbox->next = NULL;
  outbox->next_size = outbox->next_capacity = 0;
}

static int keep(struct outbox *outbox, const char *bytes, size_t size) {
  size_t needed = outbox->next_size + size;
  if (needed > outbox->next_capacity) {
    size_t capacity = outbox->next_capacity ? outbox->next_capacity : 4096;
    while (capacity < needed) capacity *= 2;
    char *next = realloc(outbox->next, capacity);
    if (!next) return -ENOMEM;
    outbox->next = next;
    outbox->next_capacity = capacity;
  }
  memcpy(outbox->next + outbox->next_size, bytes, size);
  outbox->next_size = needed;
  return 0;
}

static void on_written(uv_write_t *request, int status);

static int launch(struct outbox *outbox) {
  if (outbox->flight || !outbox->next_size) return 0;
  uv_buf_t block = uv_buf_init(outbox->next, (unsigned)outbox->next_size);
  outbox->flight = outbox->next;
  outbox->next = NULL;
  outbox->next_size = outbox->next_capacity = 0;
  outbox->request.data = outbox;
  return uv_write(&outbox->request, outbox->stream, &block, 1, on_written);
}

static void on_written(uv_write_t *request, int status) {
  struct outbox *outbox = request->data;
  free(outbox->flight);
  outbox->flight = NULL;
  if (status == UV_ECANCELED) return; // the stream is being closed
  if (status == 0) status = launch(outbox);
  outbox->progress(outbox, status);
}

int outbox_add(struct outbox *outbox, const uv_buf_t *parts, unsigned count) {
  size_t gone = 0;
  if (count > PARTS_MAX) return -EINVAL;
  if (!outbox->flight) {
    int written = uv_try_write(outbox->stream, parts, count);
    if (written < 0 && written != UV_EAGAIN) return written;
    if (written > 0) gone = (size_t)written;
  }
  for (unsigned i = 0; i < count; i++) {
    size_t skip = gone < parts[i].len ? gone : parts[i].len;
    gone -= skip;
    outbox->added += parts[i].len;
    if (skip == parts[i].len) continue;
    int error = keep(outbox, parts[i].base + skip, parts[i].len - skip);
    if (error) return error;
  }
  return launch(outbox);
}

size_t outbox_queued(const struct outbox *outbox) {
  return outbox->stream->write_queue_size + outbox->next_size;
}
