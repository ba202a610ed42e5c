#include "base/utf8.h"

#include <stdbool.h>

#include "base/width_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool in_table(const struct range *table, size_t count, uint32_t character) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (character > table[middle].last)
      low = middle + 1;
    else if (character < table[middle].first)
      high = middle;
    else
      return true;
  }
  return false;
}

uint32_t utf8_next(const char **at, const char *end) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; // by number of bytes behind the first
  const unsigned char *byte = (const unsigned char *)*at;
  size_t left = (size_t)(end - *at);
  (*at)++;
  if (*byte < 0x80) return *byte;
  size_t more = *byte >= 0xF0 ? 3 : *byte >= 0xE0 ? 2 : 1;
  if (*byte < 0xC2 || *byte > 0xF4 || more >= left) return UTF8_INVALID;
  uint32_t character = *byte & (0x3Fu >> more);
  for (size_t i = 1; i <= more; i++) {
    if ((byte[i] & 0xC0) != 0x80) return UTF8_INVALID;
    character = character << 6 | (byte[i] & 0x3Fu);
  }
  bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (character < least[more] || character > 0x10FFFF || surrogate) return UTF8_INVALID;
  *at += more;
  return character;
}

int utf8_columns(uint32_t character) {
  if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return 0;
  if (character < 0x300 || character == UTF8_INVALID) return 1;
  if (in_table(zero_width, COUNT(zero_width), character)) return 0;
  return in_table(double_width, COUNT(double_width), character) ? 2 : 1;
}

// Behind an escape sequence that begins at `at` (an ESC).
static const char *skip_escape(const char *at, const char *end) {
  at++;
  if (at == end) return at;
  char kind = *at++;
  if (kind == '[') {
    while (at < end && !(*at >= '@' && *at <= '~')) at++;
    return at < end ? at + 1 : at;
  }
  if (kind == ']') {
    for (; at < end; at++) {
      if (*at == '\a') return at + 1;
      if (*at == '\033' && at + 1 < end && at[1] == '\\') return at + 2;
    }
  }
  return at;
}

static size_t measure(const char *text, size_t size, size_t columns, size_t *width) {
  const char *at = text, *end = text + size;
  *width = 0;
  while (at < end) {
    const char *next = at;
    if (*at == '\033') {
      next = skip_escape(at, end);
    } else {
      size_t more = (size_t)utf8_columns(utf8_next(&next, end));
      if (*width + more > columns) break;
      *width += more;
    }
    at = next;
  }
  return (size_t)(at - text);
}

size_t utf8_width(const char *text, size_t size_bytes) {
  size_t width;
  measure(text, size_bytes, SIZE_MAX, &width);
  return width;
}

size_t utf8_fit(const char *text, size_t size_bytes, size_t columns) {
  size_t width;
  return measure(text, size_bytes, columns, &width);
}
