// Which regular expressions are too much: libc takes seconds or gigabytes for them, and nothing can
// interrupt it. Private to engine/log.
#pragma once

enum {
  NEEDLE_DEPTH = 100, // brackets in brackets
  NEEDLE_SIZE = 2000, // characters and signs, with counts such as {10} written out
};

// NULL, or what is wrong with it, for people.
const char *needle_limits(const char *regex);
