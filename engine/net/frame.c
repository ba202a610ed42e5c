#include "net/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { KEPT_MAX = 4096 }; // memory that an idle reader may hold

bool frame_kind_valid(char kind) {
  return kind == FRAME_BYTES || kind == FRAME_JSON;
}

void frame_head(char head[FRAME_HEAD], char kind, size_t size) {
  head[0] = kind;
  head[1] = (char)(size >> 8);
  head[2] = (char)size;
}

void frame_reader_finish(struct frame_reader *reader) {
  free(reader->bytes);
  *reader = (struct frame_reader){0};
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static void begin(struct frame_reader *reader) {
  reader->kind = (char)reader->head[0];
  reader->size = (size_t)reader->head[1] << 8 | reader->head[2];
  reader->got = 0;
  if (reader->size <= reader->capacity) return;
  free(reader->bytes);
  reader->bytes = mem_new(reader->size);
  reader->capacity = reader->size;
}

static size_t take_head(struct frame_reader *reader, const char *bytes, size_t size) {
  size_t part = least(FRAME_HEAD - reader->head_size, size);
  memcpy(reader->head + reader->head_size, bytes, part);
  reader->head_size += part;
  if (reader->head_size && !frame_kind_valid((char)reader->head[0]))
    reader->state = FRAME_REFUSED;
  else if (reader->head_size == FRAME_HEAD)
    begin(reader);
  return part;
}

size_t frame_feed(struct frame_reader *reader, const char *bytes, size_t size) {
  size_t taken = 0;
  if (reader->state != FRAME_PARTIAL) return 0;
  if (reader->head_size < FRAME_HEAD) taken = take_head(reader, bytes, size);
  if (reader->state == FRAME_REFUSED || reader->head_size < FRAME_HEAD) return taken;
  size_t part = least(reader->size - reader->got, size - taken);
  if (part) memcpy(reader->bytes + reader->got, bytes + taken, part);
  reader->got += part;
  if (reader->got == reader->size) reader->state = FRAME_COMPLETE;
  return taken + part;
}

void frame_next(struct frame_reader *reader) {
  reader->head_size = 0;
  reader->state = FRAME_PARTIAL;
  if (reader->capacity <= KEPT_MAX) return;
  free(reader->bytes);
  reader->bytes = NULL;
  reader->capacity = 0;
}

void frame_refusal(const struct frame_reader *reader, char *text, size_t size) {
  snprintf(text, size, "a frame begins with 0x%02x: 'b' for bytes or 'j' for JSON expected",
           reader->head[0]);
}
