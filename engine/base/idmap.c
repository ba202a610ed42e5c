#include "base/idmap.h"

#include <stdlib.h>

#include "base/mem.h"

struct idmap_slot {
  uint64_t id; // 0: never used
  void *value; // NULL under a used id: removed
};

static size_t home(const struct idmap *map, uint64_t id) {
  return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->capacity - 1);
}

static struct idmap_slot *find(const struct idmap *map, uint64_t id) {
  if (!map->capacity || !id) return NULL;
  for (size_t i = home(map, id);; i = (i + 1) & (map->capacity - 1)) {
    if (map->slots[i].id == id) return &map->slots[i];
    if (!map->slots[i].id) return NULL;
  }
}

static void insert(struct idmap *map, uint64_t id, void *value) {
  size_t i = home(map, id);
  while (map->slots[i].id) i = (i + 1) & (map->capacity - 1);
  map->slots[i] = (struct idmap_slot){.id = id, .value = value};
  map->used++;
}

static void rehash(struct idmap *map) {
  struct idmap old = *map;
  size_t capacity = 16;
  while (capacity < old.count * 4) capacity *= 2;
  *map = (struct idmap){.capacity = capacity, .count = old.count};
  map->slots = mem_new(capacity * sizeof *map->slots);
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i].value) insert(map, old.slots[i].id, old.slots[i].value);
  free(old.slots);
}

void idmap_finish(struct idmap *map) {
  free(map->slots);
  *map = (struct idmap){0};
}

void idmap_set(struct idmap *map, uint64_t id, void *value) {
  struct idmap_slot *slot = find(map, id);
  if (slot) {
    if (!slot->value) map->count++;
    slot->value = value;
    return;
  }
  if ((map->used + 1) * 2 > map->capacity) rehash(map);
  insert(map, id, value);
  map->count++;
}

void *idmap_get(const struct idmap *map, uint64_t id) {
  struct idmap_slot *slot = find(map, id);
  return slot ? slot->value : NULL;
}

void *idmap_remove(struct idmap *map, uint64_t id) {
  struct idmap_slot *slot = find(map, id);
  if (!slot || !slot->value) return NULL;
  void *value = slot->value;
  slot->value = NULL;
  map->count--;
  return value;
}

bool idmap_next(const struct idmap *map, size_t *at, uint64_t *id, void **value) {
  while (*at < map->capacity) {
    struct idmap_slot *slot = &map->slots[(*at)++];
    if (!slot->value) continue;
    if (id) *id = slot->id;
    if (value) *value = slot->value;
    return true;
  }
  return false;
}
