// A buffer that grows. Zeroed is empty; growing keeps what is there.
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct bytes {
  char *data;
  size_t size, capacity;
};

static inline void bytes_finish(struct bytes *bytes) {
  free(bytes->data);
  *bytes = (struct bytes){0};
}

static inline char *bytes_reserve(struct bytes *bytes, size_t more) {
  if (bytes->size + more > bytes->capacity) {
    size_t capacity = bytes->capacity * 2;
    if (capacity < bytes->size + more) capacity = bytes->size + more;
    bytes->data = mem_resize(bytes->data, capacity);
    bytes->capacity = capacity;
  }
  return bytes->data + bytes->size;
}

static inline void bytes_add(struct bytes *bytes, const void *data, size_t size) {
  if (!size) return;
  memcpy(bytes_reserve(bytes, size), data, size);
  bytes->size += size;
}
