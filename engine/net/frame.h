// What both sides send once a connection of the control protocol has been upgraded to pactlua/1:
// frames of one byte that says what they hold, two for the size of that (big-endian), and as many
// bytes. Knows no sockets.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEAD = 3, FRAME_MAX = 65535 };

enum frame_kind {
  FRAME_BYTES = 'b', // of a terminal
  FRAME_JSON = 'j',  // a message
};

enum frame_state {
  FRAME_PARTIAL,
  FRAME_COMPLETE, // kind, bytes and size are those of a whole frame; frame_next goes on
  FRAME_REFUSED,  // the bytes are no frames; nothing more can be read
};

// Zeroed is ready to read.
struct frame_reader {
  enum frame_state state;
  char kind;
  char *bytes;
  size_t size;

  // private
  unsigned char head[FRAME_HEAD];
  size_t head_size, got, capacity;
};

void frame_reader_finish(struct frame_reader *reader);
// Reads until the bytes end, a frame is complete, or they are refused. Returns how many were taken.
size_t frame_feed(struct frame_reader *reader, const char *bytes, size_t size);
void frame_next(struct frame_reader *reader);
// Why it was refused, for people.
void frame_refusal(const struct frame_reader *reader, char *text, size_t size);

void frame_head(char head[FRAME_HEAD], char kind, size_t size); // size ≤ FRAME_MAX
bool frame_kind_valid(char kind);
