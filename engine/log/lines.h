// Windows into logs: the last lines that pass a filter, read from the files through their indexes.
// Works on the logs of any run, also where an index is missing, cut or damaged: what it doesn't
// tell is made out from the bytes.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "log/chunk.h"
#include "log/needle.h"

struct line_filter {
  size_t count;        // at most so many, the last ones
  uint64_t since_ms;   // wall clock; 0: all
  struct needle *grep; // NULL: any text
  int stream;          // 0: any
  int64_t epoch;       // -1: any
  size_t line_max;     // bytes of a line that are kept; 0: 64 KiB
};

struct line {
  uint64_t at_ms;   // wall clock, when its first byte came
  uint64_t mono_us; // the same moment, comparable between all logs of a run; 0: not known
  uint32_t epoch;
  int stream;
  size_t size_bytes;
  const char *text; // without its newline; may hold anything
};

// Oldest first. Owns the texts.
struct lines {
  struct line *items;
  size_t count, capacity;
  struct lines_page *pages;
};

#define LINES_NO_END UINT64_MAX

// Fills a zeroed struct. `recent` are chunks younger than the files, or NULL; the files are read up
// to `end_offset` of the log. 0; -ENOENT when there is no such log; another -errno when nothing
// could be read.
int lines_read(struct lines *lines, const char *stem, const struct line_filter *filter,
               const struct chunk_list *recent, uint64_t end_offset);
void lines_finish(struct lines *lines);
