// Output to a descriptor that may be anything: a terminal that stands still, a pipe that nobody
// reads, a file on a full disk. Bytes are gathered and written in large pieces, all of them; where
// that takes time the calling thread waits, until `stop` is set and a signal ends the call.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define OUT_SIZE (128u << 10)

struct out {
  int fd;
  int error;        // not 0: nobody is there to read; what is put is dropped
  atomic_bool stop; // waits no more; what is put is dropped
  size_t used;
  char *buffer; // OUT_SIZE; made at first use
};

void out_flush(struct out *out);
void out_finish(struct out *out); // frees, writes nothing
void out_put_slowly(struct out *out, const char *bytes, size_t size);

static inline void out_put(struct out *out, const char *bytes, size_t size) {
  if (!out->buffer || OUT_SIZE - out->used < size) {
    out_put_slowly(out, bytes, size);
    return;
  }
  memcpy(out->buffer + out->used, bytes, size);
  out->used += size;
}
