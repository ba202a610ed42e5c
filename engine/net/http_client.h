// HTTP requests to servers that may hang, trickle, flood, lie or reset: one deadline for all of it,
// a cap on what is read, and an answer in every case. No proxies, cookies or settings of the
// environment.
//
// Each request has a fresh connection, which is closed behind it: only that finds a listener dead,
// and a kept one would occupy servers that take one client at a time. Easy handles are used again.
#pragma once
#include <stdint.h>

#include "loop/loop.h"
#include "net/http_message.h"

struct http_options {
  const char *url;                 // http or https
  const char *method;              // NULL: GET, with a body POST
  const struct http_pair *headers; // instead of libcurl's where they have the same name
  size_t header_count;
  const char *body; // NULL: none
  size_t body_size;
  unsigned timeout_ms; // for all of it, redirects and name look-ups included
  size_t max_body;     // bytes of the answer's body that are read; there it ends as a success
  unsigned redirects;  // followed at most, and only to the same host; 0: a redirect is the answer
  bool insecure;       // any certificate will do
  bool stream;         // the body comes in pieces; max_body is none then
  const char *user_agent; // NULL: pactlua
};

// EV_HTTP, at the end of each request. An answer came when `code` is NULL, whatever its status.
struct http_event {
  struct event event;
  const char
      *code;     // static: "timeout" "refused" "dns" "tls" "reset" "protocol" "redirects" "other"
  char *message; // with a code: for people, such as `connection refused`
  int status;
  struct http_pair *headers; // names in lower case; one may come twice
  size_t header_count;
  char *text; // what the headers point into
  char *body; // max_body bytes of it at most
  size_t body_size;
  bool truncated; // there was more
  uint64_t ms;    // from the request to here
  char *url;      // of the answer: another than asked for behind a redirect
};

// EV_PIECE, of a request with `stream`: a piece of the body, the next one after http_client_more.
struct http_piece_event {
  struct event event;
  int status;
  struct http_pair *headers; // with the first piece
  size_t header_count;
  char *text;
  char *bytes;
  size_t size;
};

struct http_client;

struct http_client *http_client_create(struct loop *loop);
void http_client_destroy(struct http_client *client); // NULL is fine; runs no events

// Copies what it needs. The answer is always an event, also for a bad URL.
uint64_t http_client_request(struct http_client *client, const struct http_options *options);
// The piece has been dealt with: the next one may come. While none may, nothing is read and no
// time runs out; `timeout_ms` is then for each piece. False: no such request.
bool http_client_more(struct http_client *client, uint64_t id);
bool http_client_cancel(struct http_client *client, uint64_t id); // false: no such request
