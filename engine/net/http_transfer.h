// One request under way, and what it collects. Private to engine/net.
#pragma once
#include "base/list.h"
#include "net/curl_api.h"
#include "net/dns.h"
#include "net/http_client.h"

// Bytes that grow up to a limit.
struct http_bytes {
  char *bytes;
  size_t size, capacity;
};
bool http_bytes_add(struct http_bytes *to, const char *bytes, size_t size); // false: no memory

struct http_transfer {
  struct list idle; // in client->idle
  struct http_client *client;
  const struct curl_api *curl;
  CURL *easy; // stays with the struct, for the next request
  uv_timer_t deadline;
  struct dns_query query;
  char error[CURL_ERROR_SIZE];

  // of the request; zeroed behind each, from here to the end
  uint64_t id; // 0: idle
  uint64_t begin_ms;
  char *url, *host, *method, *body, *user_agent;
  size_t body_size, max_body;
  unsigned timeout_ms, redirects, redirected;
  bool has_body, insecure, stream;
  struct curl_slist *headers, *addresses;
  CURLU *parts;   // of the url
  bool resolving; // the name is being looked up
  bool running;   // libcurl has it

  // of the answer
  struct http_bytes head; // "name\0value\0" for each header
  size_t header_count, head_seen;
  struct http_bytes answer;
  bool truncated, head_too_large, no_memory;
  bool headers_told, held; // of a stream: a piece is out, the next one must wait
};

// Sets every option of the easy handle for the next exchange with transfer->parts.
void http_transfer_prepare(struct http_transfer *transfer);
struct loop *http_transfer_loop(const struct http_transfer *transfer);
// Takes a piece of a streamed body: gives what libcurl's write callback gives.
size_t http_stream_take(struct http_transfer *transfer, const char *bytes, size_t size);
// Headers that have come, as pairs that point into *text; both are the caller's.
struct http_pair *http_transfer_headers(const struct http_transfer *transfer, char **text);
// An answer with this status is looked for elsewhere.
bool http_transfer_redirects(const struct http_transfer *transfer, char **location);
// Forgets what has come of an answer.
void http_transfer_clear(struct http_transfer *transfer);

// What became of it, for people. `result` isn't CURLE_OK.
struct http_fault {
  const char *code;
  char message[CURL_ERROR_SIZE + 64];
};
void http_fault_of(const struct http_transfer *transfer, CURLcode result, struct http_fault *fault);
// The deadline has passed.
void http_fault_late(const struct http_transfer *transfer, struct http_fault *fault);
