#include "log/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void chunk_pool_init(struct chunk_pool *pool) {
  *pool = (struct chunk_pool){0};
  pthread_mutex_init(&pool->lock, NULL);
}

void chunk_pool_finish(struct chunk_pool *pool) {
  chunk_pool_trim(pool);
  pthread_mutex_destroy(&pool->lock);
}

void chunk_pool_trim(struct chunk_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct chunk_list list = pool->free;
  pool->free = (struct chunk_list){0};
  pool->count = 0;
  pthread_mutex_unlock(&pool->lock);
  for (struct chunk *chunk; (chunk = chunk_shift(&list));) free(chunk);
}

static struct chunk *pool_shift(struct chunk_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct chunk *chunk = chunk_shift(&pool->free);
  if (chunk) pool->count--;
  pthread_mutex_unlock(&pool->lock);
  return chunk;
}

// The headroom is mostly never touched, so it costs address space and no memory.
struct chunk *chunk_take(struct chunk_pool *pool) {
  struct chunk *chunk = pool_shift(pool);
  if (!chunk) chunk = mem_resize(NULL, sizeof *chunk + CHUNK_HEADROOM + CHUNK_READ);
  *chunk =
      (struct chunk){.pooled = 1, .start = CHUNK_HEADROOM, .capacity = CHUNK_HEADROOM + CHUNK_READ};
  return chunk;
}

struct chunk *chunk_copy(const char *bytes, size_t size_bytes) {
  struct chunk *chunk = mem_resize(NULL, sizeof *chunk + size_bytes);
  *chunk = (struct chunk){.size = (uint32_t)size_bytes, .capacity = (uint32_t)size_bytes};
  if (size_bytes) memcpy(chunk->data, bytes, size_bytes);
  return chunk;
}

void chunk_release(struct chunk_pool *pool, struct chunk *chunk) {
  if (chunk && chunk->pooled) {
    pthread_mutex_lock(&pool->lock);
    if (pool->count < CHUNK_POOL_KEPT) {
      chunk->next = pool->free.first; // the one used last is still in the cache
      pool->free.first = chunk;
      if (!chunk->next) pool->free.last = chunk;
      pool->count++;
      chunk = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
  }
  free(chunk);
}

void chunk_append(struct chunk_list *list, struct chunk *chunk) {
  chunk->next = NULL;
  if (list->last)
    list->last->next = chunk;
  else
    list->first = chunk;
  list->last = chunk;
}

struct chunk *chunk_shift(struct chunk_list *list) {
  struct chunk *chunk = list->first;
  if (!chunk) return NULL;
  list->first = chunk->next;
  if (!list->first) list->last = NULL;
  return chunk;
}
