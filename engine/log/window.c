#include "log/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/format.h"

#define PAGE_SIZE     (64u << 10)
#define FRAGMENTS_MAX 64u // more only come from damaged files

struct lines_page {
  struct lines_page *next;
  size_t used, size;
  char data[];
};

void lines_finish(struct lines *lines) {
  for (struct lines_page *page = lines->pages, *next; page; page = next) {
    next = page->next;
    free(page);
  }
  free(lines->items);
  *lines = (struct lines){0};
}

static const char *keep_text(struct lines *lines, const char *text, size_t size) {
  struct lines_page *page = lines->pages;
  if (!page || page->size - page->used < size) {
    size_t room = size > PAGE_SIZE ? size : PAGE_SIZE;
    if (lines->count == 0 && size < 256) room = 4096; // often a line or two is all
    page = mem_resize(NULL, sizeof *page + room);
    *page = (struct lines_page){.next = lines->pages, .size = room};
    lines->pages = page;
  }
  char *copy = page->data + page->used;
  if (text && size) memcpy(copy, text, size);
  page->used += size;
  return copy;
}

static void found(struct window *window, uint64_t key, struct moment when, const char *text,
                  size_t size) {
  size = needle_line_size(text, size);
  if (window->found_count == window->found_capacity) {
    window->found_capacity = window->found_capacity ? window->found_capacity * 2 : 64;
    window->found = mem_resize(window->found, window->found_capacity * sizeof *window->found);
  }
  window->found[window->found_count++] =
      (struct line){.at_ms = when.wall_us / 1000,
                    .mono_us = when.mono_us,
                    .epoch = (uint32_t)(key >> 16),
                    .stream = (int)(key >> 8 & 0xff),
                    .size_bytes = size < window->line_max ? size : window->line_max,
                    .text = text};
}

static void found_fragment(struct window *window, const struct fragment *fragment) {
  const struct bytes *text = &fragment->text;
  struct needle *needle = window->filter->grep;
  if (needle && !needle_in_line(needle, text->data ? text->data : "", text->size)) return;
  found(window, fragment->key, fragment->when, keep_text(window->lines, text->data, text->size),
        text->size);
}

static void found_lines(struct window *window, uint64_t key, struct moment when, const char *text,
                        size_t size) {
  struct needle *needle = window->filter->grep;
  const char *line;
  size_t length;
  if (needle) {
    for (size_t at = 0; needle_next_line(needle, text, size, &at, &line, &length);)
      found(window, key, when, line, length);
    return;
  }
  for (size_t at = 0; at < size; at += length + 1) {
    const char *newline = memchr(text + at, '\n', size - at);
    length = newline ? (size_t)(newline - text) - at : size - at;
    found(window, key, when, text + at, length);
  }
}

// What goes on with an earlier line: the number of bytes that belong to it, its newline included.
static size_t take_continuation(struct window *window, uint64_t key, struct moment when,
                                const char *text, size_t size) {
  struct fragment *open = fragments_find(&window->opens, key);
  struct fragment *head = open ? NULL : fragments_find(&window->heads, key);
  if (!open && !head) head = fragments_add(&window->heads, key, when);
  if (head && head->whole) return 0; // a line of its own, whatever the flag says
  const char *newline = memchr(text, '\n', size);
  size_t length = newline ? (size_t)(newline - text) : size;
  fragment_append(open ? open : head, window->line_max, text, length);
  if (newline && open) {
    found_fragment(window, open);
    fragments_drop(&window->opens, open);
  } else if (newline && head) {
    head->whole = true;
  } else if (open && open->text.size >= window->line_max) { // cut, and another one begun
    found_fragment(window, open);
    open->text.size = 0;
  }
  return newline ? length + 1 : size;
}

static void take_chunk(struct window *window, const struct index_record *record, const char *text,
                       size_t size) {
  uint64_t key = fragment_key(record);
  size_t at = 0;
  if (record->flags & INDEX_CONTINUES) {
    at = take_continuation(window, key, fragment_moment(record), text, size);
  } else {
    struct fragment *open = fragments_find(&window->opens, key);
    if (open) { // ended without a newline
      found_fragment(window, open);
      fragments_drop(&window->opens, open);
    }
  }
  const char *last = at < size ? memrchr(text + at, '\n', size - at) : NULL;
  size_t whole = last ? (size_t)(last - text) + 1 : at;
  if (whole > at) found_lines(window, key, fragment_moment(record), text + at, whole - at);
  if (whole < size)
    fragment_append(fragments_add(&window->opens, key, fragment_moment(record)), window->line_max,
                    text + whole, size - whole);
}

static bool was_seen(const struct window *window, const struct index_record *records, size_t count,
                     uint64_t key) {
  for (size_t i = 0; i < count; i++)
    if (fragment_key(&records[i]) == key && window_wants(window, &records[i])) return true;
  return false;
}

// Lines that end in newer blocks find their beginnings here, or wait for older blocks.
static void join_ends(struct window *window, const struct index_record *records, size_t count) {
  while (window->opens.count) {
    struct fragment *open = &window->opens.items[0];
    struct fragment *end = fragments_find(&window->ends, open->key);
    if (end) {
      fragment_append(open, window->line_max, end->text.data, end->text.size);
      fragments_drop(&window->ends, end);
    }
    found_fragment(window, open);
    fragments_drop(&window->opens, open);
  }
  for (size_t i = 0; i < window->ends.count;) {
    struct fragment *end = &window->ends.items[i];
    struct fragment *head = fragments_find(&window->heads, end->key);
    bool through = head && !head->whole && head->text.size < window->line_max;
    if (!head && !was_seen(window, records, count, end->key)) {
      i++; // nothing of it in this block
      continue;
    }
    if (through)
      fragment_append(head, window->line_max, end->text.data, end->text.size);
    else
      found_fragment(window, end);
    fragments_drop(&window->ends, end);
  }
  for (size_t i = 0; i < window->heads.count; i++) {
    struct fragment *head = &window->heads.items[i];
    head->whole = false; // in the next block it is an end
    *fragments_add(&window->ends, head->key, head->when) = *head;
  }
  window->heads.count = 0;
}

static void flush_ends(struct window *window) {
  while (window->ends.count) {
    found_fragment(window, &window->ends.items[0]);
    fragments_drop(&window->ends, &window->ends.items[0]);
  }
}

// Newest first, as many as are wanted; only those are copied.
static void collect(struct window *window) {
  struct lines *lines = window->lines;
  for (size_t i = window->found_count; i-- > 0 && !window_full(window);) {
    if (lines->count == lines->capacity) {
      lines->capacity = lines->capacity ? lines->capacity * 2 : 16;
      lines->items = mem_resize(lines->items, lines->capacity * sizeof *lines->items);
    }
    struct line line = window->found[i];
    line.text = keep_text(lines, line.text, line.size_bytes);
    lines->items[lines->count++] = line;
  }
  window->found_count = 0;
}

void window_init(struct window *window, struct lines *lines, const struct line_filter *filter) {
  size_t line_max = filter->line_max ? filter->line_max : INDEX_LINE_MAX;
  *window = (struct window){.lines = lines, .filter = filter, .line_max = line_max};
}

bool window_wants(const struct window *window, const struct index_record *record) {
  const struct line_filter *filter = window->filter;
  return (!filter->stream || record->stream == filter->stream) &&
         (filter->epoch < 0 || record->epoch == filter->epoch) &&
         record->wall_us / 1000 >= filter->since_ms;
}

bool window_full(const struct window *window) {
  return window->lines->count >= window->filter->count;
}

void window_block(struct window *window, const struct index_record *records, size_t count,
                  enum log_format format, char *bytes, uint64_t base) {
  for (size_t i = 0; i < count; i++) {
    if (!window_wants(window, &records[i])) continue;
    char *text = bytes + (records[i].offset - base);
    bool unterminated = records[i].flags & INDEX_UNTERMINATED;
    size_t size = format_decode(format, unterminated, text, records[i].length);
    if (size) take_chunk(window, &records[i], text, size);
  }
  join_ends(window, records, count);
  if (window->ends.count > FRAGMENTS_MAX) flush_ends(window);
  collect(window);
}

void window_finish(struct window *window) {
  flush_ends(window);
  collect(window);
  struct lines *lines = window->lines;
  for (size_t i = 0; i < lines->count / 2; i++) {
    struct line swap = lines->items[i];
    lines->items[i] = lines->items[lines->count - 1 - i];
    lines->items[lines->count - 1 - i] = swap;
  }
  free(window->found);
  fragments_finish(&window->ends);
  fragments_finish(&window->opens);
  fragments_finish(&window->heads);
}
