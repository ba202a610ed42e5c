// One HTTP message as values: what a request asks, or what an answer says. Made by http_reader.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// A header (name in lower case), or a part of a query. Both are NUL-terminated and owned by the
// message, or by the caller where a pair is an argument.
struct http_pair {
  const char *name, *value;
};

struct http_message {
  const char *method;      // of a request; static
  const char *path;        // of a request: percent-decoded, UTF-8, without its query; /… or *
  const char *authority;   // of a request in absolute form, as it stands there; else NULL
  struct http_pair *query; // of a request, decoded, in order; a name may come twice
  size_t query_count;
  int status;                // of an answer
  struct http_pair *headers; // in order; a name may come twice
  size_t header_count;
  char *body; // NULL when there was none; NUL behind it
  size_t body_size;
  bool keep_alive; // the connection may carry another message
  bool http_1_0;   // the other side knows no chunks
  char *text;      // what path, query and headers point into
};

void http_message_finish(struct http_message *message); // frees what it holds; zeroed is empty
// The first value of a header (name in lower case), or NULL.
const char *http_message_header(const struct http_message *message, const char *name);

// Takes the target of a request line apart into `path`, `authority` and `query`. `text` has `size`
// bytes and a NUL behind them; it is decoded in place and must live as long as the message. False:
// malformed (no path, a broken escape, NUL or other control characters, invalid UTF-8). True with
// `query` NULL: memory is exhausted or there is none.
bool http_message_target(struct http_message *message, char *text, size_t size);

// Name is a token, value has no line break or NUL: fit to be sent.
bool http_pair_valid(const struct http_pair *pair);
