// A map from ids (never 0) to pointers: how scripts name engine objects. A name whose object is
// gone finds NULL, so a late call can do no harm.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
  struct idmap_slot *slots;
  size_t capacity, count, used; // used counts tombstones too
};

void idmap_finish(struct idmap *map); // a zeroed map is empty; frees no values
void idmap_set(struct idmap *map, uint64_t id, void *value);
void *idmap_get(const struct idmap *map, uint64_t id); // NULL when absent
void *idmap_remove(struct idmap *map, uint64_t id);    // the value that was there, or NULL
// Visits every pair in no order: start with *at = 0; false at the end. Removing the pair just
// visited is allowed, adding is not.
bool idmap_next(const struct idmap *map, size_t *at, uint64_t *id, void **value);
