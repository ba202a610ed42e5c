// Lines out of blocks of chunks that are handed in from the newest to the oldest. A line may lie in
// many chunks, with others' between them, and in more than one block.
#pragma once
#include <stdbool.h>

#include "log/bytes.h"
#include "log/fragments.h"
#include "log/index.h"
#include "log/lines.h"
#include "log/logs.h"

struct window {
  struct lines *lines; // newest first until window_finish
  const struct line_filter *filter;
  size_t line_max;
  struct fragments ends;  // of lines that begin in older blocks
  struct fragments opens; // the block's: lines that have begun, by what writes them
  struct fragments heads; // the block's: what goes on with lines of older blocks
  struct line *found;     // the block's, oldest first; texts are in the block or in a page
  size_t found_count, found_capacity;
};

void window_init(struct window *window, struct lines *lines, const struct line_filter *filter);
bool window_wants(const struct window *window, const struct index_record *record);
bool window_full(const struct window *window);
// `bytes` begins with those at offset `base`; they may be changed. Records that aren't wanted are
// skipped.
void window_block(struct window *window, const struct index_record *records, size_t count,
                  enum log_format format, char *bytes, uint64_t base);
// Turns the lines round: oldest first.
void window_finish(struct window *window);
