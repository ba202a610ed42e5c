#include "net/http_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_event.h"
#include "net/http_refusal.h"
#include "net/tcp_listen.h"
#include "net/unix_socket.h"

static void on_closed(uv_handle_t *handle) {
  struct http_conn *conn = handle->data;
  if (--conn->handles) return;
  outbox_finish(&conn->outbox);
  http_reader_finish(&conn->reader);
  frame_reader_finish(&conn->frames);
  http_source_release(conn->source);
  free(conn->rest);
  free(conn);
}

void http_conn_close(struct http_conn *conn) {
  if (conn->closed) return;
  conn->closed = true;
  if (conn->request) idmap_remove(&conn->server->requests, conn->request);
  conn->request = 0;
  list_remove(&conn->link);
  conn->source->conn_count--;
  uv_close(&conn->socket.handle, on_closed);
  uv_close((uv_handle_t *)&conn->timer, on_closed);
}

void http_conn_lose(struct http_conn *conn) {
  if (conn->request && !conn->closed)
    http_event_gone(conn->server->loop, conn->request, "the client has left");
  http_conn_close(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  struct http_conn *conn = handle->data;
  *buffer = uv_buf_init(conn->server->buffer, HTTP_CONN_READ);
}

static void on_unwanted(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  (void)buffer;
  if (got < 0) http_conn_close(stream->data);
}

// What a client still sends while it is being refused would make TCP drop the refusal on its way,
// and a client on a Unix socket see its broken pipe before it: it is read and thrown away for a
// while.
static void linger(struct http_conn *conn) {
  conn->lingers = true;
  shutdown(conn->fd, SHUT_WR);
  uv_read_start(&conn->socket.stream, on_alloc, on_unwanted);
  http_conn_wait(conn);
}

// Ends the connection behind what is queued; who doesn't take it is cut off in time.
void http_conn_leave(struct http_conn *conn) {
  conn->leaving = true;
  uv_read_stop(&conn->socket.stream);
  if (outbox_queued(&conn->outbox))
    http_conn_wait(conn);
  else if (conn->refused && !conn->ended)
    linger(conn);
  else
    http_conn_close(conn);
}

static bool asks_head(const struct http_conn *conn) {
  const char *method = conn->reader.message.method;
  return method && strcmp(method, "HEAD") == 0;
}

void http_conn_refuse(struct http_conn *conn, int status, const char *why) {
  char text[HTTP_REFUSAL_SIZE];
  struct http_refusal refusal = {.status = status,
                                 .why = why,
                                 .json = conn->source->limits.json_refusals,
                                 .body = !asks_head(conn)};
  uv_buf_t part = uv_buf_init(text, (unsigned)http_refusal_text(&refusal, text));
  conn->refused = true;
  if (outbox_add(&conn->outbox, &part, 1))
    http_conn_close(conn);
  else
    http_conn_leave(conn);
}

static void announce(struct http_conn *conn) {
  struct http_server *server = conn->server;
  conn->request = loop_new_id(server->loop);
  conn->asked = true;
  conn->answering = conn->chunked = conn->owes_drain = false;
  conn->bodiless = asks_head(conn);
  conn->last = !conn->reader.message.keep_alive;
  idmap_set(&server->requests, conn->request, conn);
  http_event_request(server->loop, conn);
  list_remove(&conn->link); // now the most recently used
  list_append(&server->conns, &conn->link);
}

bool http_conn_idle(const struct http_conn *conn) {
  uint64_t age_ms = loop_now_ms(conn->server->loop) - conn->opened_ms;
  bool fresh = !conn->asked && age_ms < HTTP_CONN_FRESH_MS;
  return !fresh && !conn->request && !conn->rest_size &&
         conn->reader.state != HTTP_READER_PARTIAL && !outbox_queued(&conn->outbox);
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
      http_conn_refuse(conn, conn->reader.refusal_status, conn->reader.refusal);
    else if (conn->reader.state == HTTP_READER_COMPLETE)
      announce(conn);
  }
  if (!conn->closed) http_conn_wait(conn);
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

// Nothing more will come, and all is answered: what was begun can't be.
static void leave_at_end(struct http_conn *conn) {
  http_reader_eof(&conn->reader);
  if (conn->reader.state == HTTP_READER_REFUSED)
    http_conn_refuse(conn, conn->reader.refusal_status, conn->reader.refusal);
  else
    http_conn_leave(conn);
}

// The client sends no more. It may still be waiting for an answer; if not, all is said. Over TCP
// nothing tells who has left from who only listens: in the middle of an answer it has left.
static void on_end(struct http_conn *conn) {
  conn->ended = true;
  uv_read_stop(&conn->socket.stream);
  if (conn->framed || unix_socket_hung_up(conn->fd) ||
      (conn->source->tcp && conn->answering && conn->request))
    http_conn_lose(conn);
  else if (!conn->request && !conn->rest_size)
    leave_at_end(conn);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct http_conn *conn = stream->data;
  if (got == 0) return;
  if (got == UV_EOF) {
    on_end(conn);
  } else if (got < 0) {
    http_conn_lose(conn);
  } else if (conn->framed) {
    http_upgrade_read(conn, buffer->base, (size_t)got);
  } else {
    size_t taken = conn->rest_size ? 0 : parse(conn, buffer->base, (size_t)got);
    if (conn->closed || conn->leaving) return;
    if (!set_aside(conn, buffer->base + taken, (size_t)got - taken))
      http_conn_lose(conn);
    else if (conn->rest_size >= HTTP_CONN_REST_MAX)
      uv_read_stop(stream);
  }
}

// Takes up what was set aside, and then the socket.
void http_conn_next(struct http_conn *conn) {
  if (conn->closed || conn->leaving || busy(conn)) return;
  if (conn->rest_size) take_up_rest(conn);
  if (conn->closed || conn->leaving) return;
  if (!conn->ended && conn->rest_size < HTTP_CONN_REST_MAX)
    uv_read_start(&conn->socket.stream, on_alloc, on_read);
  else if (conn->ended && !conn->request && !conn->rest_size)
    leave_at_end(conn);
  if (!conn->closed) http_conn_wait(conn);
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
  if (conn->leaving && !queued && !conn->lingers)
    http_conn_leave(conn);
  else
    http_conn_next(conn);
}

// Who is on the other side. On Unix sockets others than this user are refused.
static int meet(struct http_conn *conn) {
  if (conn->source->tcp) return tcp_peer(conn->fd, conn->remote, sizeof conn->remote);
  uid_t uid;
  int error = unix_socket_peer(conn->fd, &conn->pid, &uid);
  return !error && uid != geteuid() ? -EPERM : error;
}

static int open_socket(struct http_conn *conn, struct loop *loop) {
  if (!conn->source->tcp) {
    uv_pipe_init(&loop->uv, &conn->socket.pipe, 0);
    return uv_pipe_open(&conn->socket.pipe, conn->fd);
  }
  uv_tcp_init(&loop->uv, &conn->socket.tcp);
  int error = uv_tcp_open(&conn->socket.tcp, conn->fd);
  if (!error) uv_tcp_nodelay(&conn->socket.tcp, 1);
  return error;
}

static struct http_conn *conn_new(struct http_source *source, int fd) {
  struct http_conn *conn = mem_new(sizeof *conn);
  *conn = (struct http_conn){.server = source->server, .source = source, .fd = fd, .handles = 2};
  conn->opened_ms = loop_now_ms(conn->server->loop);
  http_reader_init(&conn->reader, true);
  conn->reader.body_max = source->limits.body_bytes;
  conn->reader.context = conn;
  conn->reader.head = on_head;
  return conn;
}

int http_conn_open(struct http_source *source, int fd, bool surplus) {
  struct http_server *server = source->server;
  struct http_conn *conn = conn_new(source, fd);
  int error = meet(conn);
  if (error) {
    close(fd);
    http_reader_finish(&conn->reader);
    free(conn);
    return error;
  }
  error = open_socket(conn, server->loop);
  uv_timer_init(&server->loop->uv, &conn->timer);
  conn->socket.handle.data = conn->timer.data = conn;
  outbox_init(&conn->outbox, &conn->socket.stream, on_progress);
  list_append(&server->conns, &conn->link);
  source->conn_count++;
  source->users++;
  if (error) {
    close(fd);
    http_conn_close(conn);
  } else if (surplus) {
    http_conn_refuse(conn, 503, "too many connections at once");
  } else {
    http_conn_next(conn);
  }
  return error;
}
