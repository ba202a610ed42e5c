// Feeds bytes to the reader of frames, whole and in pieces, checks that the pieces make no
// difference, and that what was read makes the same bytes again. Run: fuzz_frames CORPUS_DIR
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/frame.h"

// What was read, written again.
struct again {
  char *bytes;
  size_t size;
  enum frame_state state;
};

static struct again read_all(const char *bytes, size_t size, size_t step) {
  struct again again = {.bytes = malloc(size + FRAME_HEAD)};
  struct frame_reader reader = {0};
  for (size_t at = 0; at < size && reader.state != FRAME_REFUSED;) {
    size_t piece = step < size - at ? step : size - at;
    size_t taken = frame_feed(&reader, bytes + at, piece);
    if (!taken || taken > piece) abort();
    at += taken;
    if (reader.state != FRAME_COMPLETE) continue;
    if (!frame_kind_valid(reader.kind) || again.size + FRAME_HEAD + reader.size > size) abort();
    frame_head(again.bytes + again.size, reader.kind, reader.size);
    again.size += FRAME_HEAD;
    if (reader.size) memcpy(again.bytes + again.size, reader.bytes, reader.size);
    again.size += reader.size;
    frame_next(&reader);
  }
  again.state = reader.state;
  if (reader.state == FRAME_REFUSED) {
    char why[16]; // too small for it
    frame_refusal(&reader, why, sizeof why);
    if (frame_feed(&reader, bytes, size)) abort();
  }
  frame_reader_finish(&reader);
  return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  const char *bytes = (const char *)data + 1;
  struct again whole = read_all(bytes, size - 1, size);
  struct again pieces = read_all(bytes, size - 1, 1 + data[0] % 7);
  bool same = whole.size == pieces.size && whole.state == pieces.state;
  if (!same || memcmp(whole.bytes, pieces.bytes, whole.size) != 0) abort();
  if (memcmp(whole.bytes, bytes, whole.size) != 0) abort();
  free(whole.bytes);
  free(pieces.bytes);
  return 0;
}
