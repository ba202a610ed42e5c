// Chunks of many logs as prefixed lines in one output. A line of one is never mixed with another's:
// one that has not ended when somebody else's turn comes is ended here, marked by " \" in the
// escaped style.
//
// Plain style: bytes as they are. Escaped style, for terminals: what is no text becomes \xNN, that
// is control characters other than tab (and CR before the newline), control sequences other than
// colours, and invalid UTF-8; colours end with their line.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/bytes.h"
#include "log/out.h"

struct render {
  struct out *out;
  bool escape;
  bool open;      // the output's last line has not ended
  bool coloured;  // a colour is on
  uint64_t owner; // of that line: 0 is our own text
  char held[64];  // the beginning of a character or sequence at its end
  size_t held_size;
  struct bytes joined;
};

void render_finish(struct render *render);
// `owner` tells sources apart, not 0. `goes_on`: the bytes go on with its unterminated line, if
// that is still open.
void render_chunk(struct render *render, uint64_t owner, bool goes_on, const char *prefix,
                  size_t prefix_size, const char *bytes, size_t size);
void render_text(struct render *render, const char *text, size_t size); // ours, as it is
