// A connection of the server behind `101 Switching Protocols`: frames, both ways (net/frame.h).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_conn.h"
#include "net/http_event.h"

static int add_frame(struct http_conn *conn, char kind, const char *bytes, size_t size) {
  char head[FRAME_HEAD];
  frame_head(head, kind, size);
  uv_buf_t parts[] = {uv_buf_init(head, FRAME_HEAD), uv_buf_init((char *)bytes, (unsigned)size)};
  return outbox_add(&conn->outbox, parts, size ? 2 : 1);
}

// What isn't frames can't be answered by its meaning: the client is told, and the script that it
// has gone.
static void refuse(struct http_conn *conn) {
  char why[96], message[160];
  frame_refusal(&conn->frames, why, sizeof why);
  int size = snprintf(message, sizeof message, "{\"type\":\"error\",\"error\":\"%s\"}", why);
  http_event_gone(conn->server->loop, conn->request, why);
  idmap_remove(&conn->server->requests, conn->request);
  conn->request = 0;
  conn->refused = true;
  if (add_frame(conn, FRAME_JSON, message, (size_t)size))
    http_conn_close(conn);
  else
    http_conn_leave(conn);
}

// Bytes that come together are told together: who sends each byte in a frame of its own is no more
// work than others. `left`: so many bytes are there besides those of the frame.
static void join(struct http_conn *conn, struct http_frame_event **joined, size_t left) {
  const struct frame_reader *frame = &conn->frames;
  if (!*joined) {
    *joined = mem_new(sizeof **joined + frame->size + left);
    (*joined)->event = (struct event){.kind = EV_FRAME, .id = conn->request};
    (*joined)->kind = FRAME_BYTES;
  }
  if (frame->size) memcpy((*joined)->bytes + (*joined)->size, frame->bytes, frame->size);
  (*joined)->size += frame->size;
}

static void tell(struct http_conn *conn, struct http_frame_event **joined) {
  if (!*joined) return;
  struct http_frame_event *event = mem_resize(*joined, sizeof *event + (*joined)->size);
  *joined = NULL;
  loop_push(conn->server->loop, &event->event);
}

void http_upgrade_read(struct http_conn *conn, const char *bytes, size_t size) {
  struct frame_reader *frames = &conn->frames;
  struct http_frame_event *joined = NULL;
  while (size && conn->request && !conn->closed) {
    size_t taken = frame_feed(frames, bytes, size);
    bytes += taken;
    size -= taken;
    if (frames->state == FRAME_PARTIAL) continue;
    if (frames->state == FRAME_COMPLETE && frames->kind == FRAME_BYTES) {
      join(conn, &joined, size);
    } else {
      tell(conn, &joined);
      if (frames->state == FRAME_REFUSED)
        refuse(conn);
      else
        http_event_frame(conn->server->loop, conn->request, frames);
    }
    if (frames->state == FRAME_COMPLETE) frame_next(frames);
  }
  tell(conn, &joined);
}

int http_server_upgrade(struct http_server *server, uint64_t request) {
  static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                             "Upgrade: pactlua/1\r\n\r\n";
  struct http_conn *conn = idmap_get(&server->requests, request);
  if (!conn) return -ENOENT;
  if (conn->answering) return -EALREADY;
  uv_buf_t part = uv_buf_init((char *)head, sizeof head - 1);
  if (conn->ended || outbox_add(&conn->outbox, &part, 1)) {
    http_conn_lose(conn);
    return -ENOENT;
  }
  conn->answering = conn->framed = conn->last = true;
  char *rest = conn->rest;
  size_t at = conn->rest_at, size = conn->rest_size;
  conn->rest = NULL;
  conn->rest_at = conn->rest_size = 0;
  if (size) http_upgrade_read(conn, rest + at, size);
  free(rest);
  return 0;
}

int64_t http_server_frame(struct http_server *server, uint64_t request, char kind,
                          const char *bytes, size_t size) {
  struct http_conn *conn = idmap_get(&server->requests, request);
  if (!conn) return -ENOENT;
  if (!conn->framed || !frame_kind_valid(kind)) return -EINVAL;
  if (kind != FRAME_BYTES && size > FRAME_MAX) return -EINVAL;
  do {
    size_t part = size < FRAME_MAX ? size : FRAME_MAX;
    bool full = outbox_queued(&conn->outbox) > HTTP_SERVER_QUEUE;
    if (full || add_frame(conn, kind, bytes, part)) {
      http_conn_lose(conn);
      return -ENOENT;
    }
    bytes += part;
    size -= part;
  } while (size);
  size_t queued = outbox_queued(&conn->outbox);
  if (queued > HTTP_SERVER_HIGH) conn->owes_drain = true;
  http_conn_wait(conn);
  return (int64_t)queued;
}
