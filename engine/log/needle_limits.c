#include "log/needle_limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct reading {
  const char *at;
  unsigned depth;
  const char *why;
};

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static size_t number(const char **at) {
  size_t value = 0;
  for (; is_digit(**at); (*at)++) value = least(value * 10 + (size_t)(**at - '0'), NEEDLE_SIZE + 1);
  return value;
}

// Behind '{': how often at most; 1 where it is no count.
static size_t times(struct reading *reading) {
  const char *at = reading->at;
  size_t least_times = number(&at), most = least_times;
  if (*at == ',') {
    at++;
    most = is_digit(*at) ? number(&at) : least_times + 1;
  }
  if (*at != '}') return 1;
  reading->at = at + 1;
  return most ? most : 1;
}

// Behind '['.
static void skip_set(struct reading *reading) {
  const char *at = reading->at;
  if (*at == '^') at++;
  if (*at == ']') at++;
  for (; *at && *at != ']'; at++) {
    if (*at != '[' || !at[1] || !strchr(".:=", at[1])) continue;
    char end[3] = {at[1], ']', '\0'};
    const char *closed = strstr(at + 2, end);
    if (closed) at = closed + 1;
  }
  reading->at = *at ? at + 1 : at;
}

// Its size up to the bracket that closes it, counts written out.
static size_t measure(struct reading *reading) {
  size_t total = 0, last = 0;
  if (++reading->depth > NEEDLE_DEPTH) reading->why = "its brackets are nested more than 100 deep";
  while (*reading->at && *reading->at != ')' && !reading->why) {
    char c = *reading->at++;
    if (c == '{') {
      last *= times(reading) + 1;
    } else if (strchr("*+?", c)) {
      last = last * 2 + 1; // libc writes x+ out as xx*, and looks twice at what may be nothing
    } else {
      total += last;
      last = 1;
      if (c == '[') skip_set(reading);
      if (c == '\\' && *reading->at != '0' && is_digit(*reading->at))
        reading->why = "it refers back (\\1), which may take for ever";
      if (c == '\\' && *reading->at) reading->at++;
      if (c == '(') {
        last += measure(reading);
        if (*reading->at == ')') reading->at++;
      }
    }
    if (total + last > NEEDLE_SIZE && !reading->why)
      reading->why = "it is larger than 2,000 characters when its counts are written out";
  }
  reading->depth--;
  return total + last;
}

const char *needle_limits(const char *regex) {
  struct reading reading = {.at = regex};
  while (*reading.at && !reading.why) {
    measure(&reading);
    if (*reading.at == ')') reading.at++; // one too many, which libc tells of
  }
  return reading.why;
}
