// The loop: the queue, turns, forgetting, and signals as events.
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/sig.h"

static struct world {
  struct loop loop;
  uint64_t ids[64];
  size_t count;
  int turns, turn_of[64], signos[64];
  void (*on_event)(uint64_t id);
} world;

static int destroyed;

static void destroy(struct event *event) {
  destroyed++;
  free(event);
}

static void push(uint64_t id) {
  struct event *event = mem_new(sizeof *event);
  event->kind = EV_DRAIN;
  event->id = id;
  event->destroy = destroy;
  loop_push(&world.loop, event);
}

static void deliver(struct event *event, void *context) {
  (void)context;
  bool signal = event->kind == EV_SIGNAL;
  world.turn_of[world.count] = world.turns;
  world.signos[world.count] = signal ? ((struct signal_event *)event)->signo : -1;
  world.ids[world.count++] = event->id;
  if (world.on_event) world.on_event(event->id);
}

static void turn(void *context) {
  (void)context;
  world.turns++;
}

static int setup(void **state) {
  (void)state;
  world = (struct world){0};
  destroyed = 0;
  return loop_init(&world.loop, deliver, turn, NULL);
}

static int teardown(void **state) {
  (void)state;
  loop_finish(&world.loop);
  return 0;
}

static void events_come_in_order_in_one_turn(void **state) {
  (void)state;
  for (uint64_t id = 1; id <= 5; id++) push(id);
  loop_run(&world.loop);
  assert_int_equal(world.count, 5);
  for (size_t i = 0; i < 5; i++) assert_int_equal(world.ids[i], i + 1);
  assert_int_equal(world.turns, 1);
  assert_int_equal(destroyed, 5);
}

static void push_more(uint64_t id) {
  if (id < 3) push(id + 1);
}

static void what_delivery_queues_waits_for_the_next_turn(void **state) {
  (void)state;
  world.on_event = push_more;
  push(1);
  loop_run(&world.loop);
  assert_int_equal(world.count, 3);
  for (int i = 0; i < 3; i++) assert_int_equal(world.turn_of[i], i);
}

static void forget_two(uint64_t id) {
  if (id != 1) return;
  push(2);
  loop_forget(&world.loop, 2);
}

static void a_forgotten_id_is_not_heard_of_in_this_turn_or_the_next(void **state) {
  (void)state;
  world.on_event = forget_two;
  push(1);
  push(2);
  push(3);
  loop_run(&world.loop);
  assert_int_equal(world.count, 2);
  assert_int_equal(world.ids[1], 3);
  assert_int_equal(destroyed, 4);
}

static void stop_at_two(uint64_t id) {
  if (id == 2) loop_stop(&world.loop);
}

static void a_stop_lets_the_turn_end(void **state) {
  (void)state;
  world.on_event = stop_at_two;
  for (uint64_t id = 1; id <= 3; id++) push(id);
  loop_run(&world.loop);
  assert_int_equal(world.count, 3);
  push(4); // nobody hears it; it is freed with the loop
}

static void raise_one(uv_timer_t *timer) {
  (void)timer;
  kill(getpid(), SIGUSR1);
}

static void stop_at_once(uint64_t id) {
  (void)id;
  loop_stop(&world.loop);
}

static void keep_going(uv_timer_t *timer) {
  (void)timer;
}

static void signals_are_events_until_they_are_let_go(void **state) {
  (void)state;
  struct signals *signals = signals_create(&world.loop);
  assert_int_equal(signals_on(signals, SIGUSR1), 0);
  assert_int_equal(signals_on(signals, SIGUSR1), 0);
  assert_int_equal(signals_on(signals, SIGKILL), -EINVAL);
  assert_int_equal(signals_on(signals, 0), -EINVAL);
  assert_int_equal(signals_on(signals, 1000), -EINVAL);
  uv_timer_t raiser, deadline;
  uv_timer_init(&world.loop.uv, &raiser);
  uv_timer_start(&raiser, raise_one, 1, 0);
  uv_timer_init(&world.loop.uv, &deadline);
  uv_timer_start(&deadline, keep_going, 10000, 0);
  world.on_event = stop_at_once;
  loop_run(&world.loop);
  assert_int_equal(world.count, 1);
  assert_int_equal(world.ids[0], 0);
  assert_int_equal(world.signos[0], SIGUSR1);
  signals_off(signals, SIGUSR1);
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  assert_true(action.sa_handler == SIG_DFL);
  signals_destroy(signals);
  uv_close((uv_handle_t *)&raiser, NULL);
  uv_close((uv_handle_t *)&deadline, NULL);
  loop_finish(&world.loop); // while the timers' memory is ours
  setup(state);
}

static void ids_are_never_used_twice(void **state) {
  (void)state;
  uint64_t before = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t id = loop_new_id(&world.loop);
    assert_true(id > before);
    before = id;
  }
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_world(events_come_in_order_in_one_turn),
      with_world(what_delivery_queues_waits_for_the_next_turn),
      with_world(a_forgotten_id_is_not_heard_of_in_this_turn_or_the_next),
      with_world(a_stop_lets_the_turn_end),
      with_world(signals_are_events_until_they_are_let_go),
      with_world(ids_are_never_used_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
