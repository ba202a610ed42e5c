// A run of bytes on its way from a pipe to a file: read into once, handed to the writing thread,
// written from the same memory. Large ones come from a pool, small ones are made to measure.
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// A pooled chunk has room for what a source held back (CHUNK_HEADROOM) in front of one read.
#define CHUNK_HEADROOM  (64u << 10)
#define CHUNK_READ      (128u << 10)
#define CHUNK_POOL_KEPT 8u // free chunks kept while bytes flow

struct chunk {
  struct chunk *next;
  uint64_t wall_us, mono_us;
  uint32_t epoch;
  uint8_t stream, source, flags; // as in struct index_record
  uint8_t pooled;
  uint32_t start, size; // the bytes are data[start], size of them
  uint32_t capacity;
  char data[];
};

struct chunk_list {
  struct chunk *first, *last;
};

struct chunk_pool {
  pthread_mutex_t lock;
  struct chunk_list free;
  atomic_uint count; // of them
};

void chunk_pool_init(struct chunk_pool *pool);
void chunk_pool_finish(struct chunk_pool *pool);
// Frees the kept ones: nothing flows.
void chunk_pool_trim(struct chunk_pool *pool);

struct chunk *chunk_take(struct chunk_pool *pool); // CHUNK_HEADROOM + CHUNK_READ of room
struct chunk *chunk_copy(const char *bytes, size_t size_bytes); // to measure
void chunk_release(struct chunk_pool *pool, struct chunk *chunk);

void chunk_append(struct chunk_list *list, struct chunk *chunk);
struct chunk *chunk_shift(struct chunk_list *list); // NULL when empty

// What it costs of the queue's bound; a pooled one's headroom is hardly ever touched.
static inline uint32_t chunk_charge(const struct chunk *chunk) {
  return chunk->pooled ? CHUNK_READ : chunk->capacity;
}

static inline char *chunk_bytes(struct chunk *chunk) {
  return chunk->data + chunk->start;
}
