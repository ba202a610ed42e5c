#include "log/needle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/index.h"
#include "log/needle_limits.h"

// A `$` at its end that isn't escaped.
static bool wants_line_end(const struct needle_spec *spec) {
  size_t size = spec->size_bytes, escapes = 0;
  if (!size || spec->text[size - 1] != '$') return false;
  while (escapes < size - 1 && spec->text[size - 2 - escapes] == '\\') escapes++;
  return escapes % 2 == 0;
}

static char *text_of(const struct needle_spec *spec) {
  if (!spec->regex || !wants_line_end(spec)) return mem_dup(spec->text, spec->size_bytes);
  char *text = mem_new(spec->size_bytes + 3);
  memcpy(text, spec->text, spec->size_bytes - 1);
  memcpy(text + spec->size_bytes - 1, "\r?$", 4);
  return text;
}

int needle_init(struct needle *needle, const struct needle_spec *spec, char *why, size_t why_size) {
  *needle = (struct needle){.regex = spec->regex, .size_bytes = spec->size_bytes};
  const char *bad = memchr(spec->text, '\n', spec->size_bytes) ? "a line holds no newline" : NULL;
  if (spec->regex && memchr(spec->text, '\0', spec->size_bytes))
    bad = "a regular expression can't hold a NUL";
  needle->text = text_of(spec);
  if (spec->regex && !bad) bad = needle_limits(needle->text);
  if (bad) {
    free(needle->text);
    *needle = (struct needle){0};
    snprintf(why, why_size, "%s", bad);
    return -EINVAL;
  }
  if (!spec->regex) return 0;
  int error = regcomp(&needle->compiled, needle->text, REG_EXTENDED | REG_NEWLINE);
  if (error == 0) return 0;
  regerror(error, &needle->compiled, why, why_size);
  free(needle->text);
  *needle = (struct needle){0};
  return -EINVAL;
}

void needle_finish(struct needle *needle) {
  if (needle->regex) regfree(&needle->compiled);
  free(needle->text);
  *needle = (struct needle){0};
}

// Where the first occurrence at or behind `at` begins and ends. One call may look at many lines.
static bool find(const struct needle *needle, const char *bytes, size_t size, size_t at,
                 size_t *begin, size_t *end) {
  if (!needle->regex) {
    const char *hit = memmem(bytes + at, size - at, needle->text, needle->size_bytes);
    if (!hit) return false;
    *begin = (size_t)(hit - bytes);
    *end = *begin + needle->size_bytes;
    return true;
  }
  // The GNU call: POSIX's own needs a NUL behind the text, and these are bytes of a larger block.
  regoff_t from[1], to[1];
  struct re_registers registers = {.num_regs = 1, .start = from, .end = to};
  regex_t compiled = needle->compiled; // a copy, as a search may note things in it
  compiled.regs_allocated = REGS_FIXED;
  compiled.no_sub = 0;
  regoff_t length = (regoff_t)size;
  if (re_search(&compiled, bytes, length, (regoff_t)at, length - (regoff_t)at, &registers) < 0)
    return false;
  *begin = (size_t)from[0];
  *end = (size_t)to[0];
  return true;
}

bool needle_next_line(const struct needle *needle, const char *bytes, size_t size_bytes, size_t *at,
                      const char **line, size_t *line_size) {
  size_t begin, end;
  while (*at < size_bytes && find(needle, bytes, size_bytes, *at, &begin, &end)) {
    if (begin >= size_bytes && begin > *at && bytes[begin - 1] == '\n') return false;
    const char *before = begin > *at ? memrchr(bytes + *at, '\n', begin - *at) : NULL;
    const char *start = before ? before + 1 : bytes + *at;
    const char *newline = memchr(bytes + begin, '\n', size_bytes - begin);
    const char *stop = newline ? newline : bytes + size_bytes;
    *at = (size_t)(stop - bytes) + 1;
    if ((size_t)(bytes + end - start) > INDEX_LINE_MAX) continue;
    *line = start;
    *line_size = (size_t)(stop - start);
    if (*line_size > INDEX_LINE_MAX) *line_size = INDEX_LINE_MAX;
    return true;
  }
  return false;
}

bool needle_in_line(const struct needle *needle, const char *line, size_t size_bytes) {
  size_t begin, end;
  if (size_bytes > INDEX_LINE_MAX) size_bytes = INDEX_LINE_MAX;
  return find(needle, line, size_bytes, 0, &begin, &end);
}
