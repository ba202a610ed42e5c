// The event loop. One turn = poll, collect, deliver: libuv callbacks only queue events, and the
// queue is handed over when all callbacks of the turn have run.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "loop/event.h"

// Called for each event, in order; it doesn't keep the event.
typedef void (*loop_deliver_fn)(struct event *event, void *context);
// Called once per turn that delivered something, behind the last event.
typedef void (*loop_turn_fn)(void *context);

struct event_queue {
  struct event *first, *last;
};

struct loop {
  uv_loop_t uv;
  uv_idle_t waiting; // active while the queue isn't empty, so that no poll blocks before delivery
  struct event_queue queue; // the next turn's
  struct event_queue batch; // the rest of the turn that is being delivered
  uint64_t next_id;
  uint64_t turns; // that delivered something
  loop_deliver_fn deliver;
  loop_turn_fn turn;
  void *context;
  bool stopping;
};

int loop_init(struct loop *loop, loop_deliver_fn deliver, loop_turn_fn turn, void *context);
// All handles must have been closed with uv_close before; runs their close callbacks.
void loop_finish(struct loop *loop);

// Runs until loop_stop. Returns also when nothing is left that could ever make an event.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

uint64_t loop_new_id(struct loop *loop);                // 1, 2, 3 …: never used twice
void loop_push(struct loop *loop, struct event *event); // owns it from here
void loop_forget(struct loop *loop, uint64_t id);       // drops queued events of that id
uint64_t loop_now_ms(const struct loop *loop);          // monotonic clock, read now
uint64_t loop_now_us(const struct loop *loop);
uint64_t loop_wall_ms(void); // since 1970-01-01 UTC
