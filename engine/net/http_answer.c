// Answering: the server's public calls that are about one request.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_conn.h"

static struct http_conn *conn_of(struct http_server *server, uint64_t request) {
  return idmap_get(&server->requests, request);
}

// HTTP/1.1 goes on unless told, 1.0 doesn't.
static const char *connection_of(const struct http_conn *conn) {
  if (conn->last) return "Connection: close\r\n";
  return conn->reader.message.http_1_0 ? "Connection: keep-alive\r\n" : "";
}

static bool has_no_body(int status) {
  return status == 204 || status == 304;
}

// The words behind a status; none for one that has no name, which HTTP allows.
static const char *words_of(int status) {
  const char *words = http_status_str((enum http_status)status);
  return words[0] == '<' ? "" : words;
}

// The head of an answer, to be freed.
static char *head_of(const struct http_conn *conn, int status, const struct http_pair *headers,
                     size_t count, const char *framing, size_t *size) {
  size_t capacity = 256;
  for (size_t i = 0; i < count; i++)
    capacity += strlen(headers[i].name) + strlen(headers[i].value) + 4;
  char *head = malloc(capacity);
  if (!head) return NULL;
  size_t at = (size_t)snprintf(head, capacity, "HTTP/1.1 %d %s\r\n%s%s", status, words_of(status),
                               framing, connection_of(conn));
  for (size_t i = 0; i < count; i++)
    at +=
        (size_t)snprintf(head + at, capacity - at, "%s: %s\r\n", headers[i].name, headers[i].value);
  *size = at + (size_t)snprintf(head + at, capacity - at, "\r\n");
  return head;
}

static int begin(struct http_conn *conn, int status, const struct http_pair *headers, size_t count,
                 const char *framing, const char *body, size_t body_size) {
  if (conn->answering) return -EALREADY;
  for (size_t i = 0; i < count; i++)
    if (!http_pair_valid(&headers[i])) return -EINVAL;
  size_t size;
  char *head = head_of(conn, status, headers, count, framing, &size);
  if (!head) return -ENOMEM;
  uv_buf_t parts[] = {uv_buf_init(head, (unsigned)size),
                      uv_buf_init((char *)body, (unsigned)body_size)};
  conn->answering = true;
  if (has_no_body(status)) conn->bodiless = true;
  int error = outbox_add(&conn->outbox, parts, body_size ? 2 : 1);
  free(head);
  return error;
}

// The answer is complete: the connection is free for the next request.
static void done(struct http_conn *conn) {
  idmap_remove(&conn->server->requests, conn->request);
  conn->request = 0;
  conn->owes_drain = false;
  if (conn->last)
    http_conn_leave(conn);
  else
    http_conn_next(conn);
}

// What the world refused a client's connection is told to the script as EV_GONE, not as an error.
static int settle(struct http_conn *conn, int error) {
  if (error == -EALREADY || error == -EINVAL) return error;
  if (error) http_conn_lose(conn);
  return error ? -ENOENT : 0;
}

int http_server_respond(struct http_server *server, uint64_t request, int status,
                        const struct http_pair *headers, size_t header_count, const char *body,
                        size_t body_size) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  char framing[64] = "";
  bool bodiless = conn->bodiless || has_no_body(status);
  if (!has_no_body(status)) snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", body_size);
  int error = settle(
      conn, begin(conn, status, headers, header_count, framing, body, bodiless ? 0 : body_size));
  if (!error) done(conn);
  return error;
}

int http_server_stream(struct http_server *server, uint64_t request, int status,
                       const struct http_pair *headers, size_t header_count) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  conn->chunked = !conn->reader.message.http_1_0;
  if (!conn->chunked) conn->last = true; // its end is the connection's
  bool framed = conn->chunked && !has_no_body(status);
  const char *framing = framed ? "Transfer-Encoding: chunked\r\n" : "";
  int error = settle(conn, begin(conn, status, headers, header_count, framing, NULL, 0));
  if (!error) http_conn_wait(conn);
  return error;
}

int64_t http_server_write(struct http_server *server, uint64_t request, const char *bytes,
                          size_t size) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  if (!conn->answering || conn->framed) return -EINVAL;
  if (size && !conn->bodiless) {
    char mark[32];
    int mark_size = snprintf(mark, sizeof mark, "%zx\r\n", size);
    uv_buf_t parts[] = {uv_buf_init(mark, (unsigned)mark_size),
                        uv_buf_init((char *)bytes, (unsigned)size), uv_buf_init("\r\n", 2)};
    bool full = outbox_queued(&conn->outbox) > HTTP_SERVER_QUEUE;
    int error = full            ? -ENOBUFS
                : conn->chunked ? outbox_add(&conn->outbox, parts, 3)
                                : outbox_add(&conn->outbox, &parts[1], 1);
    if (error) return settle(conn, error);
  }
  size_t queued = outbox_queued(&conn->outbox);
  if (queued > HTTP_SERVER_HIGH) conn->owes_drain = true;
  http_conn_wait(conn);
  return (int64_t)queued;
}

int64_t http_server_await(struct http_server *server, uint64_t request) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  size_t queued = outbox_queued(&conn->outbox);
  if (queued > HTTP_SERVER_LOW) conn->owes_drain = true;
  return (int64_t)queued;
}

int http_server_finish(struct http_server *server, uint64_t request) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  if (!conn->answering) return -EINVAL;
  uv_buf_t end = uv_buf_init("0\r\n\r\n", 5);
  int error = 0;
  if (conn->chunked && !conn->bodiless) error = settle(conn, outbox_add(&conn->outbox, &end, 1));
  if (!error) done(conn);
  return error;
}
