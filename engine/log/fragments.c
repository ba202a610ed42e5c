#include "log/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct fragment *fragments_find(struct fragments *fragments, uint64_t key) {
  for (size_t i = 0; i < fragments->count; i++)
    if (fragments->items[i].key == key) return &fragments->items[i];
  return NULL;
}

struct fragment *fragments_add(struct fragments *fragments, uint64_t key, struct moment when) {
  if (fragments->count == fragments->capacity) {
    fragments->capacity = fragments->capacity ? fragments->capacity * 2 : 4;
    fragments->items = mem_resize(fragments->items, fragments->capacity * sizeof *fragments->items);
  }
  struct fragment *fragment = &fragments->items[fragments->count++];
  *fragment = (struct fragment){.key = key, .when = when};
  return fragment;
}

void fragments_drop(struct fragments *fragments, struct fragment *fragment) {
  bytes_finish(&fragment->text);
  size_t at = (size_t)(fragment - fragments->items);
  fragments->count--;
  memmove(fragment, fragment + 1, (fragments->count - at) * sizeof *fragment);
}

void fragments_finish(struct fragments *fragments) {
  for (size_t i = 0; i < fragments->count; i++) bytes_finish(&fragments->items[i].text);
  free(fragments->items);
  *fragments = (struct fragments){0};
}

void fragment_append(struct fragment *fragment, size_t most, const char *text, size_t size) {
  size_t room = most - fragment->text.size;
  bytes_add(&fragment->text, text, size < room ? size : room);
}
