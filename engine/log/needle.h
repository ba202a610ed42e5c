// What a line is searched for: plain bytes, or a POSIX extended regular expression.
#pragma once
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct needle_spec {
  const char *text;
  size_t size_bytes;
  bool regex;
};

struct needle {
  bool regex;
  regex_t compiled;
  char *text;
  size_t size_bytes;
};

// A line as it is told of: a terminal, and some programs, put a carriage return before its newline.
static inline size_t needle_line_size(const char *line, size_t size_bytes) {
  return size_bytes && line[size_bytes - 1] == '\r' ? size_bytes - 1 : size_bytes;
}

// Where a regular expression ends with $, that is the end of the line as it is told of.
// 0, or -EINVAL with what is wrong in `why`.
int needle_init(struct needle *needle, const struct needle_spec *spec, char *why, size_t why_size);
void needle_finish(struct needle *needle);

// Looks from *at, a line's beginning, for the next line that has it; each line is looked at up to
// 64 KiB. True: the line is there without its newline, and *at is behind it.
bool needle_next_line(const struct needle *needle, const char *bytes, size_t size_bytes, size_t *at,
                      const char **line, size_t *line_size);
// Anywhere in one line.
bool needle_in_line(const struct needle *needle, const char *line, size_t size_bytes);
