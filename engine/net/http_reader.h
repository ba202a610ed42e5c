// Bytes in, messages out: http-parser with this project's limits, for both ends of the control
// protocol. Knows no sockets, so that it can be fed from anywhere, in pieces of any size.
#pragma once
#include <http_parser.h>
#include <stdint.h>

#include "net/http_message.h"

enum {
  HTTP_HEAD_MAX = 64 * 1024,           // request line and headers, in bytes
  HTTP_TARGET_MAX = 8 * 1024,          // path and query
  HTTP_HEADERS_MAX = 256,              // their number
  HTTP_REQUEST_BODY_MAX = 1024 * 1024, // bytes
  HTTP_ANSWER_BODY_MAX = 256 * 1024 * 1024,
};

enum http_reader_state {
  HTTP_READER_IDLE,     // between messages: nothing of the next one has come
  HTTP_READER_PARTIAL,  // a message has begun
  HTTP_READER_COMPLETE, // `message` is whole; http_reader_next goes on
  HTTP_READER_REFUSED,  // `refusal` says why; nothing more can be read
};

struct http_reader;
// The head of a message is there; `message` has all but the body.
typedef void (*http_reader_head_fn)(struct http_reader *reader);
// Bytes of the body. Without this hook they are collected in `message.body`.
typedef void (*http_reader_piece_fn)(struct http_reader *reader, const char *bytes, size_t size);

struct http_reader {
  enum http_reader_state state;
  struct http_message message; // a reader may take it out by copying and zeroing it
  int refusal_status;          // what to answer: 400, 413, 414, 431, 500, 501, 505
  const char *refusal;         // static, for people
  bool bodiless;               // reads the answer to HEAD
  http_reader_head_fn head;    // may set `piece`; both may be NULL
  http_reader_piece_fn piece;
  void *context; // the owner's
  bool head_done;
  size_t body_max; // bytes; the owner may change it before the first message

  // private
  http_parser parser;
  bool requests;
  bool in_value;
  char *text; // target and headers, one behind another, each with a NUL
  size_t text_size, text_capacity;
  size_t target_size;
  struct http_field *fields; // offsets, because `text` moves while it grows
  size_t field_count, field_capacity;
  size_t body_capacity;
};

// `requests`: reads requests; else answers.
void http_reader_init(struct http_reader *reader, bool requests);
void http_reader_finish(struct http_reader *reader);
// Reads until the bytes end, a message is complete, or they are refused. Returns how many were
// taken; what follows a complete message stays with the caller.
size_t http_reader_feed(struct http_reader *reader, const char *bytes, size_t size);
// No more bytes will come: completes an answer whose end that is, refuses what is cut off.
void http_reader_eof(struct http_reader *reader);
// Forgets the complete message, and is ready for the next.
void http_reader_next(struct http_reader *reader);
