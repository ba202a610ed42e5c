// How long a connection may take for what it is at: one timer each, for one thing at a time.
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "net/address.h"
#include "net/http_conn.h"

static enum http_wait waits_for(const struct http_conn *conn) {
  if (conn->lingers) return HTTP_WAIT_LINGER;
  if (conn->leaving) return HTTP_WAIT_LEAVE;
  if (conn->reader.state == HTTP_READER_PARTIAL)
    return conn->reader.head_done && conn->source->limits.body_ms ? HTTP_WAIT_BODY : HTTP_WAIT_HEAD;
  if (outbox_queued(&conn->outbox)) return HTTP_WAIT_TAKE;
  return conn->request ? HTTP_WAIT_NONE : HTTP_WAIT_IDLE;
}

static unsigned limit_of(const struct http_limits *limits, enum http_wait wait) {
  switch (wait) {
  case HTTP_WAIT_NONE: return 0;
  case HTTP_WAIT_IDLE: return limits->idle_ms;
  case HTTP_WAIT_HEAD: return limits->head_ms;
  case HTTP_WAIT_BODY: return limits->body_ms;
  case HTTP_WAIT_TAKE: return limits->take_ms;
  case HTTP_WAIT_LEAVE: return HTTP_SERVER_WHOLE_MS;
  case HTTP_WAIT_LINGER: return HTTP_CONN_LINGER_MS;
  }
  return 0;
}

// Bytes of answers that the client itself has taken: what waits in the kernel doesn't count, or a
// slow reader's progress would be seen every other megabyte only.
static uint64_t taken_of(const struct http_conn *conn) {
  int kept = 0;
  if (ioctl(conn->fd, SIOCOUTQ, &kept) < 0) kept = 0;
  return conn->outbox.added - outbox_queued(&conn->outbox) - (uint64_t)kept;
}

static void on_timer(uv_timer_t *timer) {
  struct http_conn *conn = timer->data;
  enum http_wait waited = conn->waits;
  conn->waits = HTTP_WAIT_NONE;
  if (waited == HTTP_WAIT_TAKE && taken_of(conn) > conn->taken)
    http_conn_wait(conn); // some of it was taken
  else
    http_conn_expire(conn, waited);
}

void http_conn_wait(struct http_conn *conn) {
  enum http_wait wait = waits_for(conn);
  if (wait == conn->waits) return;
  conn->waits = wait;
  conn->waits_ms = loop_now_ms(conn->server->loop);
  if (wait == HTTP_WAIT_TAKE) conn->taken = taken_of(conn);
  unsigned ms = limit_of(&conn->source->limits, wait);
  uv_timer_stop(&conn->timer);
  if (!ms) return;
  uv_update_time(&conn->server->loop->uv);
  uv_timer_start(&conn->timer, on_timer, ms, 0);
}

bool http_conn_dawdles(const struct http_conn *conn) {
  if (conn->waits != HTTP_WAIT_LINGER && conn->waits != HTTP_WAIT_HEAD &&
      conn->waits != HTTP_WAIT_BODY)
    return false;
  return loop_now_ms(conn->server->loop) - conn->waits_ms >= HTTP_CONN_FRESH_MS;
}

static void too_slow(struct http_conn *conn, const char *what, unsigned ms) {
  char text[96], span[MS_TEXT_SIZE];
  snprintf(text, sizeof text, "%s wasn't complete within %s", what, ms_text(ms, span));
  http_conn_refuse(conn, 408, text);
}

void http_conn_expire(struct http_conn *conn, enum http_wait waited) {
  const struct http_limits *limits = &conn->source->limits;
  switch (waited) {
  case HTTP_WAIT_NONE: return;
  case HTTP_WAIT_IDLE: http_conn_leave(conn); return;
  case HTTP_WAIT_HEAD: too_slow(conn, "the request", limits->head_ms); return;
  case HTTP_WAIT_BODY: too_slow(conn, "the request's body", limits->body_ms); return;
  case HTTP_WAIT_TAKE: http_conn_lose(conn); return;
  case HTTP_WAIT_LEAVE:
  case HTTP_WAIT_LINGER: http_conn_close(conn); return;
  }
}
