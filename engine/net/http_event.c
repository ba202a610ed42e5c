#include "net/http_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void request_destroy(struct event *event) {
  struct http_request_event *request = (struct http_request_event *)event;
  http_message_finish(&request->message);
  free(request);
}

void http_event_request(struct loop *loop, struct http_conn *conn) {
  struct http_request_event *request = mem_new(sizeof *request);
  const struct http_source *source = conn->source;
  uint64_t id = source->control ? conn->request : source->id;
  request->event = (struct event){.kind = EV_REQUEST, .id = id, .destroy = request_destroy};
  request->request = conn->request;
  request->front = !source->listens;
  request->pid = conn->pid;
  memcpy(request->remote, conn->remote, sizeof request->remote);
  request->message = conn->reader.message;
  bool http_1_0 = conn->reader.message.http_1_0; // asked for when the answer begins
  conn->reader.message = (struct http_message){.http_1_0 = http_1_0};
  loop_push(loop, &request->event);
}

void http_event_gone(struct loop *loop, uint64_t id, const char *message) {
  size_t size = strlen(message) + 1;
  struct http_gone_event *gone = mem_new(sizeof *gone + size);
  gone->event = (struct event){.kind = EV_GONE, .id = id};
  memcpy(gone->message, message, size);
  loop_push(loop, &gone->event);
}

void http_event_frame(struct loop *loop, uint64_t id, const struct frame_reader *frame) {
  struct http_frame_event *event = mem_new(sizeof *event + frame->size);
  event->event = (struct event){.kind = EV_FRAME, .id = id};
  event->kind = frame->kind;
  event->size = frame->size;
  if (frame->size) memcpy(event->bytes, frame->bytes, frame->size);
  loop_push(loop, &event->event);
}

void http_event_drain(struct loop *loop, uint64_t id) {
  struct event *drain = mem_new(sizeof *drain);
  *drain = (struct event){.kind = EV_DRAIN, .id = id};
  loop_push(loop, drain);
}
