// Turns a loop in tests until a condition holds, or a deadline passes.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop/loop.h"

struct net_turn {
  struct loop loop;
  uv_timer_t tick;
  bool (*holds)(void *context);
  void *context;
  uint64_t deadline;
  bool held;
};

static inline void net_turn_check(uv_timer_t *timer) {
  struct net_turn *turn = timer->data;
  turn->held = turn->holds && turn->holds(turn->context);
  if (turn->held || loop_now_ms(&turn->loop) >= turn->deadline) loop_stop(&turn->loop);
}

static inline void net_turn_none(void *context) {
  (void)context;
}

static inline void net_turn_init(struct net_turn *turn, loop_deliver_fn deliver, void *context) {
  *turn = (struct net_turn){0};
  assert_int_equal(loop_init(&turn->loop, deliver, net_turn_none, context), 0);
  uv_timer_init(&turn->loop.uv, &turn->tick);
  turn->tick.data = turn;
}

// True when `holds` did within `ms`. Without one it turns for `ms`.
static inline bool net_turn_until(struct net_turn *turn, bool (*holds)(void *), void *context,
                                  unsigned ms) {
  turn->holds = holds;
  turn->context = context;
  turn->deadline = loop_now_ms(&turn->loop) + ms;
  turn->held = false;
  uv_timer_start(&turn->tick, net_turn_check, 0, 1);
  turn->loop.stopping = false;
  loop_run(&turn->loop);
  uv_timer_stop(&turn->tick);
  return turn->held;
}

// Fails the test when a handle was left open.
static inline void net_turn_finish(struct net_turn *turn) {
  uv_close((uv_handle_t *)&turn->tick, NULL);
  while (uv_run(&turn->loop.uv, UV_RUN_NOWAIT)) {}
  assert_int_equal(uv_loop_alive(&turn->loop.uv), 0);
  loop_finish(&turn->loop);
}
