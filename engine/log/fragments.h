// Lines of which only a part has been seen, by what writes them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/bytes.h"
#include "log/index.h"

// On both clocks.
struct moment {
  uint64_t wall_us, mono_us;
};

// Part of a line, of what `key` names.
struct fragment {
  uint64_t key; // stream, source, epoch
  struct moment when;
  bool whole; // its newline has been seen
  bool given; // what is before it has been handed out already
  struct bytes text;
};

struct fragments {
  struct fragment *items;
  size_t count, capacity;
};

static inline uint64_t fragment_key(const struct index_record *record) {
  return (uint64_t)record->epoch << 16 | (uint64_t)record->stream << 8 | record->source;
}
static inline uint32_t fragment_epoch(uint64_t key) {
  return (uint32_t)(key >> 16);
}
static inline int fragment_stream(uint64_t key) {
  return (int)(key >> 8 & 0xff);
}
static inline struct moment fragment_moment(const struct index_record *record) {
  return (struct moment){record->wall_us, record->mono_us};
}

struct fragment *fragments_find(struct fragments *fragments, uint64_t key); // NULL: none
struct fragment *fragments_add(struct fragments *fragments, uint64_t key, struct moment when);
void fragments_drop(struct fragments *fragments, struct fragment *fragment);
void fragments_finish(struct fragments *fragments);
// What is more than `most` bytes in all is left out.
void fragment_append(struct fragment *fragment, size_t most, const char *text, size_t size);
