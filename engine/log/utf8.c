#include "log/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool continues(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

// The second byte is bound more closely than the others, by the first.
static bool second_fits(uint8_t first, uint8_t second) {
  switch (first) {
  case 0xe0: return second >= 0xa0 && second <= 0xbf;
  case 0xed: return second >= 0x80 && second <= 0x9f;
  case 0xf0: return second >= 0x90 && second <= 0xbf;
  case 0xf4: return second >= 0x80 && second <= 0x8f;
  default: return continues(second);
  }
}

int utf8_length(const char *bytes, size_t size_bytes) {
  const uint8_t *at = (const uint8_t *)bytes;
  if (!size_bytes) return -1;
  if (at[0] < 0x80) return 1;
  int length = at[0] >= 0xc2 && at[0] <= 0xdf   ? 2
               : at[0] >= 0xe0 && at[0] <= 0xef ? 3
               : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                : 0;
  if (!length) return 0;
  for (int i = 1; i < length; i++) {
    if ((size_t)i >= size_bytes) return -1;
    if (i == 1 ? !second_fits(at[0], at[1]) : !continues(at[i])) return 0;
  }
  return length;
}
