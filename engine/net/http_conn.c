#include "net/http_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_event.h"
#include "net/unix_socket.h"

static void read_on(struct http_conn *conn);

static void on_closed(uv_handle_t *handle) {
  struct http_conn *conn = handle->data;
  outbox_finish(&conn->outbox);
  http_reader_finish(&conn->reader);
  free(conn->rest);
  free(conn);
}

void http_conn_close(struct http_conn *conn) {
  if (conn->closed) return;
  conn->closed = true;
  if (conn->request) idmap_remove(&conn->server->requests, conn->request);
  conn->request = 0;
  http_server_hurry(conn->server, conn, false);
  list_remove(&conn->link);
  conn->server->conn_count--;
  uv_close((uv_handle_t *)&conn->pipe, on_closed);
}

void http_conn_lose(struct http_conn *conn) {
  if (conn->request && !conn->closed)
    http_event_gone(conn->server->loop, conn->request, "the client has left");
  http_conn_close(conn);
}

// Ends the connection behind what is queued; who doesn't take it is cut off in time.
void http_conn_leave(struct http_conn *conn) {
  conn->leaving = true;
  uv_read_stop((uv_stream_t *)&conn->pipe);
  if (!outbox_queued(&conn->outbox))
    http_conn_close(conn);
  else
    http_server_hurry(conn->server, conn, true);
}

static void send_refusal(struct http_conn *conn, int status, const char *why) {
  char text[512];
  int body = snprintf(NULL, 0, "%s\n", why);
  int size = snprintf(text, sizeof text,
                      "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
                      "Connection: close\r\n\r\n%s\n",
                      status, http_status_str((enum http_status)status), body, why);
  uv_buf_t part = uv_buf_init(text, (unsigned)size);
  if (outbox_add(&conn->outbox, &part, 1))
    http_conn_close(conn);
  else
    http_conn_leave(conn);
}

static void announce(struct http_conn *conn) {
  struct http_server *server = conn->server;
  conn->request = loop_new_id(server->loop);
  conn->answering = conn->chunked = conn->owes_drain = false;
  conn->bodiless = strcmp(conn->reader.message.method, "HEAD") == 0;
  conn->last = !conn->reader.message.keep_alive;
  idmap_set(&server->requests, conn->request, conn);
  http_event_request(server->loop, conn);
  list_remove(&conn->link); // now the most recently used
  list_append(&server->conns, &conn->link);
}

void http_conn_expire(struct http_conn *conn) {
  if (conn->leaving)
    http_conn_close(conn);
  else
    send_refusal(conn, 408, "the request wasn't complete within 10 s");
}

bool http_conn_idle(const struct http_conn *conn) {
  return !conn->request && !conn->rest_size && conn->reader.state != HTTP_READER_PARTIAL &&
         !outbox_queued(&conn->outbox);
}

// curl asks before it sends a large body.
static void on_head(struct http_reader *reader) {
  struct http_conn *conn = reader->context;
  const char *expect = http_message_header(&reader->message, "expect");
  if (!expect || strcasecmp(expect, "100-continue") != 0 || reader->message.http_1_0) return;
  uv_buf_t part = uv_buf_init("HTTP/1.1 100 Continue\r\n\r\n", 25);
  outbox_add(&conn->outbox, &part, 1); // a broken stream shows itself at the next read
}

// A conn takes the next request when the last is answered and its answer mostly taken.
static bool busy(const struct http_conn *conn) {
  return conn->request || outbox_queued(&conn->outbox) > HTTP_SERVER_LOW;
}

static size_t parse(struct http_conn *conn, const char *bytes, size_t size) {
  size_t taken = 0;
  while (taken < size && !busy(conn) && !conn->leaving && !conn->closed) {
    if (conn->reader.state == HTTP_READER_COMPLETE) http_reader_next(&conn->reader);
    taken += http_reader_feed(&conn->reader, bytes + taken, size - taken);
    if (conn->reader.state == HTTP_READER_REFUSED)
      send_refusal(conn, conn->reader.refusal_status, conn->reader.refusal);
    else if (conn->reader.state == HTTP_READER_COMPLETE)
      announce(conn);
  }
  if (!conn->leaving && !conn->closed)
    http_server_hurry(conn->server, conn, conn->reader.state == HTTP_READER_PARTIAL);
  return taken;
}

static bool set_aside(struct http_conn *conn, const char *bytes, size_t size) {
  if (!size) return true;
  if (conn->rest_at) memmove(conn->rest, conn->rest + conn->rest_at, conn->rest_size);
  conn->rest_at = 0;
  char *rest = realloc(conn->rest, conn->rest_size + size);
  if (!rest) return false;
  memcpy(rest + conn->rest_size, bytes, size);
  conn->rest = rest;
  conn->rest_size += size;
  return true;
}

static void take_up_rest(struct http_conn *conn) {
  size_t taken = parse(conn, conn->rest + conn->rest_at, conn->rest_size);
  conn->rest_at += taken;
  conn->rest_size -= taken;
  if (conn->rest_size) return;
  free(conn->rest);
  conn->rest = NULL;
  conn->rest_at = 0;
}

// The client sends no more. It may still be waiting for an answer; if not, all is said.
static void on_end(struct http_conn *conn) {
  conn->ended = true;
  uv_read_stop((uv_stream_t *)&conn->pipe);
  if (unix_socket_hung_up(conn->fd))
    http_conn_lose(conn);
  else if (!conn->request && !conn->rest_size)
    http_conn_leave(conn);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct http_conn *conn = stream->data;
  if (got == 0) return;
  if (got == UV_EOF) {
    on_end(conn);
  } else if (got < 0) {
    http_conn_lose(conn);
  } else {
    size_t taken = conn->rest_size ? 0 : parse(conn, buffer->base, (size_t)got);
    if (conn->closed || conn->leaving) return;
    if (!set_aside(conn, buffer->base + taken, (size_t)got - taken))
      http_conn_lose(conn);
    else if (conn->rest_size >= HTTP_CONN_REST_MAX)
      uv_read_stop(stream);
  }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  struct http_conn *conn = handle->data;
  *buffer = uv_buf_init(conn->server->buffer, HTTP_CONN_READ);
}

// Takes up what was set aside, and then the socket.
static void read_on(struct http_conn *conn) {
  if (conn->closed || conn->leaving || busy(conn)) return;
  if (conn->rest_size) take_up_rest(conn);
  if (conn->closed || conn->leaving) return;
  if (!conn->ended && conn->rest_size < HTTP_CONN_REST_MAX)
    uv_read_start((uv_stream_t *)&conn->pipe, on_alloc, on_read);
  else if (conn->ended && !conn->request && !conn->rest_size)
    http_conn_leave(conn);
}

static void on_progress(struct outbox *outbox, int error) {
  struct http_conn *conn = list_entry(outbox, struct http_conn, outbox);
  if (conn->closed) return;
  if (error) {
    http_conn_lose(conn);
    return;
  }
  size_t queued = outbox_queued(outbox);
  if (conn->owes_drain && queued <= HTTP_SERVER_LOW) {
    conn->owes_drain = false;
    http_event_drain(conn->server->loop, conn->request);
  }
  if (conn->leaving && !queued)
    http_conn_close(conn);
  else
    read_on(conn);
}

int http_conn_open(struct http_server *server, int fd, bool front) {
  pid_t pid;
  uid_t uid;
  int error = unix_socket_peer(fd, &pid, &uid);
  if (!error && uid != geteuid()) error = -EPERM;
  if (error) {
    close(fd);
    return error;
  }
  struct http_conn *conn = mem_new(sizeof *conn);
  *conn = (struct http_conn){.server = server, .fd = fd, .front = front, .pid = pid};
  list_init(&conn->hasty);
  http_reader_init(&conn->reader, true);
  conn->reader.context = conn;
  conn->reader.head = on_head;
  uv_pipe_init(&server->loop->uv, &conn->pipe, 0);
  conn->pipe.data = conn;
  outbox_init(&conn->outbox, (uv_stream_t *)&conn->pipe, on_progress);
  list_append(&server->conns, &conn->link);
  server->conn_count++;
  error = uv_pipe_open(&conn->pipe, fd);
  if (error) {
    close(fd);
    http_conn_close(conn);
    return error;
  }
  read_on(conn);
  return 0;
}

// ---- answering: the public calls that are about one request

static struct http_conn *conn_of(struct http_server *server, uint64_t request) {
  return idmap_get(&server->requests, request);
}

// The head of an answer, to be freed.
static char *head_of(const struct http_conn *conn, int status, const struct http_pair *headers,
                     size_t count, const char *framing, size_t *size) {
  size_t capacity = 256;
  for (size_t i = 0; i < count; i++)
    capacity += strlen(headers[i].name) + strlen(headers[i].value) + 4;
  char *head = malloc(capacity);
  if (!head) return NULL;
  size_t at = (size_t)snprintf(head, capacity, "HTTP/1.1 %d %s\r\n%s%s", status,
                               http_status_str((enum http_status)status), framing,
                               conn->last ? "Connection: close\r\n" : "");
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
    read_on(conn);
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
  char framing[64];
  snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", body_size);
  int error = settle(conn, begin(conn, status, headers, header_count, framing, body,
                                 conn->bodiless ? 0 : body_size));
  if (!error) done(conn);
  return error;
}

int http_server_stream(struct http_server *server, uint64_t request, int status,
                       const struct http_pair *headers, size_t header_count) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  conn->chunked = !conn->reader.message.http_1_0;
  if (!conn->chunked) conn->last = true; // its end is the connection's
  const char *framing = conn->chunked ? "Transfer-Encoding: chunked\r\n" : "";
  return settle(conn, begin(conn, status, headers, header_count, framing, NULL, 0));
}

int64_t http_server_write(struct http_server *server, uint64_t request, const char *bytes,
                          size_t size) {
  struct http_conn *conn = conn_of(server, request);
  if (!conn) return -ENOENT;
  if (!conn->answering) return -EINVAL;
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
