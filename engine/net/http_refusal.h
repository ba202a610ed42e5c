// What a client is told whose request never becomes one: it is malformed, too large, too slow, or
// one too many. Private to engine/net.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { HTTP_REFUSAL_SIZE = 1280 };

// How it is worded: in JSON {"code":…,"error":…}, else a line of text; without `body`, as HEAD
// wants it, only the head. Gives its size.
struct http_refusal {
  int status;
  const char *why; // for people; at most some 150 bytes, what is beyond is left out
  bool json, body;
};

size_t http_refusal_text(const struct http_refusal *refusal, char text[HTTP_REFUSAL_SIZE]);
