// Intrusive doubly linked list: the link lives in the owner's struct, so adding never allocates.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
  struct list *prev, *next;
};

// The struct of `type` whose member `member` is the link `ptr`.
#define list_entry(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

// Visits every link; the body may remove `it`, and nothing else.
#define list_each(it, head)                                                                        \
  for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                        \
       it = it##_next, it##_next = it->next)

static inline void list_init(struct list *l) {
  l->prev = l->next = l;
}
static inline bool list_empty(const struct list *l) {
  return l->next == l;
}

static inline void list_append(struct list *head, struct list *item) {
  item->prev = head->prev;
  item->next = head;
  head->prev->next = item;
  head->prev = item;
}

// Safe on a link that was initialised and is in no list.
static inline void list_remove(struct list *item) {
  item->prev->next = item->next;
  item->next->prev = item->prev;
  list_init(item);
}
