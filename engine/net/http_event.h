// Makes and queues the events of the control protocol's two ends. Private to engine/net.
#pragma once
#include "loop/loop.h"
#include "net/http_conn.h"

void http_event_request(struct loop *loop, struct http_conn *conn); // moves the conn's message out
void http_event_gone(struct loop *loop, uint64_t id, const char *message);
void http_event_frame(struct loop *loop, uint64_t id, const struct frame_reader *frame);
void http_event_drain(struct loop *loop, uint64_t id);
