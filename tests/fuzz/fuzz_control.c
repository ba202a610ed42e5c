// Feeds bytes to both readers of the control protocol, whole and in pieces, and checks that the
// pieces make no difference. Run: fuzz_control CORPUS_DIR
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_reader.h"

enum { MESSAGES_MAX = 64 };

// What was read, as one number.
struct digest {
  uint64_t hash;
  size_t messages;
  enum http_reader_state state;
};

static void mix(struct digest *digest, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++) digest->hash = (digest->hash ^ at[i]) * UINT64_C(1099511628211);
}

static void mix_pairs(struct digest *digest, const struct http_pair *pairs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    mix(digest, pairs[i].name, strlen(pairs[i].name) + 1);
    mix(digest, pairs[i].value, strlen(pairs[i].value) + 1);
  }
}

static void mix_message(struct digest *digest, const struct http_message *message) {
  if (message->path) mix(digest, message->path, strlen(message->path) + 1);
  mix(digest, &message->status, sizeof message->status);
  mix_pairs(digest, message->query, message->query_count);
  mix_pairs(digest, message->headers, message->header_count);
  if (message->body) mix(digest, message->body, message->body_size);
  digest->messages++;
}

// Steps of the size that the seed's bits say; 0 is all at once.
static struct digest read_all(const char *bytes, size_t size, bool requests, unsigned step) {
  struct digest digest = {.hash = UINT64_C(14695981039346656037)};
  struct http_reader reader;
  http_reader_init(&reader, requests);
  for (size_t at = 0; at < size && digest.messages < MESSAGES_MAX;) {
    size_t piece = step && step < size - at ? step : size - at;
    size_t taken = http_reader_feed(&reader, bytes + at, piece);
    if (taken > piece) abort();
    at += taken;
    if (reader.state == HTTP_READER_REFUSED) break;
    if (reader.state != HTTP_READER_COMPLETE) {
      if (taken < piece) abort();
      continue;
    }
    mix_message(&digest, &reader.message);
    http_reader_next(&reader);
  }
  digest.state = reader.state;
  if (reader.state == HTTP_READER_REFUSED && (!reader.refusal || reader.refusal_status < 400))
    abort();
  http_reader_eof(&reader);
  http_reader_finish(&reader);
  return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  unsigned step = 1 + data[0] % 7;
  for (int requests = 0; requests < 2; requests++) {
    const char *bytes = (const char *)data + 1;
    struct digest whole = read_all(bytes, size - 1, requests, 0);
    struct digest pieces = read_all(bytes, size - 1, requests, step);
    if (whole.hash != pieces.hash || whole.messages != pieces.messages ||
        whole.state != pieces.state)
      abort();
  }
  return 0;
}
