#include "net/http_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/idmap.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/frame.h"
#include "net/http_event.h"
#include "net/http_reader.h"
#include "net/outbox.h"
#include "net/unix_socket.h"

enum { READ_SIZE = 64 * 1024, IDLE_MAX = 4, FRAMES_MAX = 1024 * 1024 };

struct http_links {
  struct loop *loop;
  struct idmap links; // id → http_link
  struct idmap calls; // id → wire
  char *buffer;       // READ_SIZE bytes, for all wires
};

struct http_link {
  struct http_links *links;
  uint64_t id;
  char *path; // NULL: the front's
  int fd;     // the front's end of the socketpair, else -1
  struct list idle, busy;
  size_t idle_count;
};

// One connection.
struct wire {
  struct list list; // in its link's idle or busy
  struct http_link *link;
  uv_pipe_t pipe;
  struct outbox outbox;
  struct http_reader reader;
  uint64_t call; // 0: idle
  bool stream;
  bool upgrade; // asked for
  bool framed;  // and had
  struct frame_reader frames;
  bool closed;
};

static void on_closed(uv_handle_t *handle) {
  struct wire *wire = handle->data;
  outbox_finish(&wire->outbox);
  http_reader_finish(&wire->reader);
  frame_reader_finish(&wire->frames);
  free(wire);
}

static void wire_close(struct wire *wire) {
  if (wire->closed) return;
  wire->closed = true;
  if (wire->call)
    idmap_remove(&wire->link->links->calls, wire->call);
  else
    wire->link->idle_count--;
  list_remove(&wire->list);
  uv_close((uv_handle_t *)&wire->pipe, on_closed);
}

static void wire_lose(struct wire *wire, const char *why) {
  if (wire->call && !wire->closed) http_event_gone(wire->link->links->loop, wire->call, why);
  wire_close(wire);
}

// ---- answers

static void response_destroy(struct event *event) {
  struct http_response_event *response = (struct http_response_event *)event;
  http_message_finish(&response->message);
  free(response);
}

static void push_part(struct wire *wire, enum http_response_part part, const char *bytes,
                      size_t size) {
  struct http_response_event *response = mem_new(sizeof *response + size);
  response->event =
      (struct event){.kind = EV_RESPONSE, .id = wire->call, .destroy = response_destroy};
  response->part = part;
  response->size = size;
  if (size) memcpy(response->bytes, bytes, size);
  if (part == HTTP_RESPONSE_WHOLE || part == HTTP_RESPONSE_HEAD) {
    response->message = wire->reader.message;
    wire->reader.message = (struct http_message){0};
  }
  loop_push(wire->link->links->loop, &response->event);
}

static bool interim(const struct http_reader *reader) {
  return reader->parser.status_code < 200;
}

static void on_piece(struct http_reader *reader, const char *bytes, size_t size) {
  push_part(reader->context, HTTP_RESPONSE_PIECE, bytes, size);
}

static void on_head(struct http_reader *reader) {
  struct wire *wire = reader->context;
  if (!wire->stream || interim(reader)) return;
  push_part(wire, HTTP_RESPONSE_HEAD, NULL, 0);
  reader->piece = on_piece;
}

// The answer is complete: the wire waits for the next call, or is closed.
static void rest(struct wire *wire, bool keep) {
  struct http_link *link = wire->link;
  if (!keep || link->idle_count >= IDLE_MAX || outbox_queued(&wire->outbox)) {
    wire_close(wire);
    return;
  }
  idmap_remove(&link->links->calls, wire->call);
  wire->call = 0;
  http_reader_next(&wire->reader);
  list_remove(&wire->list);
  list_append(&link->idle, &wire->list);
  link->idle_count++;
  uv_unref((uv_handle_t *)&wire->pipe); // alone it has nothing to wait for
}

static void complete(struct wire *wire) {
  bool keep = wire->reader.message.keep_alive;
  push_part(wire, wire->stream ? HTTP_RESPONSE_END : HTTP_RESPONSE_WHOLE, NULL, 0);
  rest(wire, keep);
}

static void on_frames(struct wire *wire, const char *bytes, size_t size) {
  struct frame_reader *frames = &wire->frames;
  char why[96];
  while (size && !wire->closed) {
    size_t taken = frame_feed(frames, bytes, size);
    bytes += taken;
    size -= taken;
    if (frames->state == FRAME_REFUSED) {
      frame_refusal(frames, why, sizeof why);
      wire_lose(wire, why);
    } else if (frames->state == FRAME_COMPLETE) {
      http_event_frame(wire->link->links->loop, wire->call, frames);
      frame_next(frames);
    }
  }
}

static bool upgraded(const struct wire *wire) {
  return wire->upgrade && wire->reader.state == HTTP_READER_COMPLETE &&
         wire->reader.parser.status_code == 101;
}

static void on_bytes(struct wire *wire, const char *bytes, size_t size) {
  size_t taken = 0;
  while (taken < size && !wire->closed) {
    if (wire->framed) {
      on_frames(wire, bytes + taken, size - taken);
      return;
    }
    if (!wire->call) { // unasked
      wire_close(wire);
      return;
    }
    taken += http_reader_feed(&wire->reader, bytes + taken, size - taken);
    if (wire->reader.state == HTTP_READER_REFUSED)
      wire_lose(wire, wire->reader.refusal);
    else if (upgraded(wire)) {
      push_part(wire, HTTP_RESPONSE_HEAD, NULL, 0);
      wire->framed = true;
    } else if (wire->reader.state == HTTP_READER_COMPLETE && interim(&wire->reader))
      http_reader_next(&wire->reader);
    else if (wire->reader.state == HTTP_READER_COMPLETE)
      complete(wire);
  }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct wire *wire = stream->data;
  if (got > 0) {
    on_bytes(wire, buffer->base, (size_t)got);
  } else if (got == UV_EOF && wire->call && !wire->framed) {
    http_reader_eof(&wire->reader);
    if (wire->reader.state == HTTP_READER_COMPLETE)
      complete(wire);
    else
      wire_lose(wire, "the connection was closed before the answer was complete");
  }
  if (got < 0 && !wire->closed)
    wire_lose(wire, got == UV_EOF ? "the connection was closed" : uv_strerror((int)got));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  struct wire *wire = handle->data;
  *buffer = uv_buf_init(wire->link->links->buffer, READ_SIZE);
}

static void on_progress(struct outbox *outbox, int error) {
  struct wire *wire = list_entry(outbox, struct wire, outbox);
  // The server may have answered and closed before it read all: the answer decides.
  if (error && error != UV_EPIPE && error != UV_ECONNRESET) wire_lose(wire, uv_strerror(error));
}

// ---- connections

static int connect_front(const struct http_link *link) {
  int fds[2];
  int error = unix_socket_pair(fds);
  if (error) return error;
  error = unix_socket_send_fd(link->fd, fds[1]);
  close(fds[1]);
  if (!error) return fds[0];
  close(fds[0]);
  return error;
}

static int wire_open(struct http_link *link, struct wire **out) {
  int fd = link->path ? unix_socket_connect(link->path) : connect_front(link);
  if (fd < 0) return fd;
  struct wire *wire = mem_new(sizeof *wire);
  *wire = (struct wire){.link = link};
  http_reader_init(&wire->reader, false);
  wire->reader.context = wire;
  wire->reader.head = on_head;
  uv_pipe_init(&link->links->loop->uv, &wire->pipe, 0);
  wire->pipe.data = wire;
  outbox_init(&wire->outbox, (uv_stream_t *)&wire->pipe, on_progress);
  list_append(&link->idle, &wire->list);
  link->idle_count++;
  int error = uv_pipe_open(&wire->pipe, fd);
  if (error) {
    close(fd);
    wire_close(wire);
    return error;
  }
  uv_read_start((uv_stream_t *)&wire->pipe, on_alloc, on_read);
  uv_unref((uv_handle_t *)&wire->pipe);
  *out = wire;
  return 0;
}

// The idle wire used last that is still connected, or a new one.
static int wire_get(struct http_link *link, struct wire **out) {
  while (!list_empty(&link->idle)) {
    struct wire *wire = list_entry(link->idle.prev, struct wire, list);
    int fd = -1;
    uv_fileno((uv_handle_t *)&wire->pipe, &fd);
    if (!unix_socket_hung_up(fd)) {
      *out = wire;
      return 0;
    }
    wire_close(wire);
  }
  return wire_open(link, out);
}

// ---- calls

static bool sendable(const struct http_call *call) {
  for (size_t i = 0; i < call->header_count; i++)
    if (!http_pair_valid(&call->headers[i])) return false;
  if (call->path[0] != '/') return false;
  for (const char *at = call->path; *at; at++)
    if (*at <= ' ' || *at == 0x7f) return false;
  if (!call->method) return true;
  struct http_pair method = {call->method, ""};
  return http_pair_valid(&method);
}

static char *head_of(const struct http_call *call, size_t *size) {
  const char *method = call->method ? call->method : "GET";
  size_t capacity = 160 + strlen(method) + strlen(call->path);
  for (size_t i = 0; i < call->header_count; i++)
    capacity += strlen(call->headers[i].name) + strlen(call->headers[i].value) + 4;
  char *head = malloc(capacity);
  if (!head) return NULL;
  size_t at =
      (size_t)snprintf(head, capacity, "%s %s HTTP/1.1\r\nHost: pactlua\r\n", method, call->path);
  if (call->upgrade)
    at +=
        (size_t)snprintf(head + at, capacity - at, "Connection: Upgrade\r\nUpgrade: pactlua/1\r\n");
  if (call->body)
    at += (size_t)snprintf(head + at, capacity - at, "Content-Length: %zu\r\n", call->body_size);
  for (size_t i = 0; i < call->header_count; i++)
    at += (size_t)snprintf(head + at, capacity - at, "%s: %s\r\n", call->headers[i].name,
                           call->headers[i].value);
  *size = at + (size_t)snprintf(head + at, capacity - at, "\r\n");
  return head;
}

static int send_call(struct wire *wire, const struct http_call *call) {
  size_t size;
  char *head = head_of(call, &size);
  if (!head) return -ENOMEM;
  uv_buf_t parts[] = {uv_buf_init(head, (unsigned)size),
                      uv_buf_init((char *)call->body, (unsigned)call->body_size)};
  int error = outbox_add(&wire->outbox, parts, call->body && call->body_size ? 2 : 1);
  free(head);
  wire->reader.bodiless = call->method && strcmp(call->method, "HEAD") == 0;
  return error;
}

int http_link_call(struct http_links *links, uint64_t link_id, const struct http_call *call,
                   uint64_t *id) {
  struct http_link *link = idmap_get(&links->links, link_id);
  if (!link) return -ENOENT;
  if (!sendable(call)) return -EINVAL;
  struct wire *wire;
  int error = wire_get(link, &wire);
  if (error) return error;
  error = send_call(wire, call);
  if (error) {
    wire_close(wire);
    return error;
  }
  link->idle_count--;
  list_remove(&wire->list);
  list_append(&link->busy, &wire->list);
  uv_ref((uv_handle_t *)&wire->pipe);
  wire->stream = call->stream;
  wire->upgrade = call->upgrade;
  wire->call = *id = loop_new_id(links->loop);
  idmap_set(&links->calls, wire->call, wire);
  return 0;
}

int http_link_frame(struct http_links *links, uint64_t call, char kind, const char *bytes,
                    size_t size) {
  struct wire *wire = idmap_get(&links->calls, call);
  if (!wire) return -ENOENT;
  if (!wire->framed || !frame_kind_valid(kind) || size > FRAME_MAX) return -EINVAL;
  if (outbox_queued(&wire->outbox) > FRAMES_MAX) return -ENOBUFS;
  char head[FRAME_HEAD];
  frame_head(head, kind, size);
  uv_buf_t parts[] = {uv_buf_init(head, FRAME_HEAD), uv_buf_init((char *)bytes, (unsigned)size)};
  return outbox_add(&wire->outbox, parts, size ? 2 : 1) ? -ENOENT : 0;
}

// ---- life

static struct http_link *link_new(struct http_links *links, const char *path, int fd) {
  struct http_link *link = mem_new(sizeof *link);
  *link = (struct http_link){
      .links = links, .id = loop_new_id(links->loop), .path = mem_strdup(path), .fd = fd};
  list_init(&link->idle);
  list_init(&link->busy);
  idmap_set(&links->links, link->id, link);
  return link;
}

static void link_free(struct http_link *link) {
  struct http_links *links = link->links;
  list_each(it, &link->idle) wire_close(list_entry(it, struct wire, list));
  list_each(it, &link->busy) {
    struct wire *wire = list_entry(it, struct wire, list);
    loop_forget(links->loop, wire->call);
    wire_close(wire);
  }
  idmap_remove(&links->links, link->id);
  if (link->fd >= 0) close(link->fd);
  free(link->path);
  free(link);
}

int http_link_open(struct http_links *links, const char *path, uint64_t *link_id) {
  struct http_link *link = link_new(links, path, -1);
  struct wire *wire;
  int error = wire_open(link, &wire);
  if (error)
    link_free(link);
  else
    *link_id = link->id;
  return error;
}

static struct wire *any_wire(const struct http_link *link) {
  const struct list *of = list_empty(&link->idle) ? &link->busy : &link->idle;
  return list_empty(of) ? NULL : list_entry(of->next, struct wire, list);
}

int http_link_peer(const struct http_links *links, uint64_t link_id, pid_t *pid, uid_t *uid) {
  const struct http_link *link = idmap_get(&links->links, link_id);
  struct wire *wire = link ? any_wire(link) : NULL;
  int fd = -1;
  if (!wire || uv_fileno((uv_handle_t *)&wire->pipe, &fd)) return -ENOENT;
  return unix_socket_peer(fd, pid, uid);
}

int http_link_front(struct http_links *links, int fd, uint64_t *link_id) {
  *link_id = link_new(links, NULL, fd)->id;
  return 0;
}

bool http_links_cancel(struct http_links *links, uint64_t id) {
  struct wire *wire = idmap_get(&links->calls, id);
  struct http_link *link = idmap_get(&links->links, id);
  if (wire) {
    wire_close(wire);
    loop_forget(links->loop, id);
  } else if (link) {
    link_free(link);
  }
  return wire || link;
}

struct http_links *http_links_create(struct loop *loop) {
  struct http_links *links = mem_new(sizeof *links);
  *links = (struct http_links){.loop = loop, .buffer = mem_new(READ_SIZE)};
  return links;
}

void http_links_destroy(struct http_links *links) {
  if (!links) return;
  size_t at = 0;
  void *link;
  while (idmap_next(&links->links, &at, NULL, &link)) link_free(link);
  idmap_finish(&links->links);
  idmap_finish(&links->calls);
  free(links->buffer);
  free(links);
}
