// Timers: order, times, and what may be done from within one.
#include "check.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/list.h"
#include "loop/timer.h"

enum { EVENTS_MAX = 20000 };

static struct world {
  struct loop loop;
  struct timers *timers;
  uint64_t ids[EVENTS_MAX];
  size_t count, wanted;
} world;

static void deliver(struct event *event, void *context) {
  (void)context;
  assert_int_equal(event->kind, EV_TIMER);
  world.ids[world.count++] = event->id;
  if (world.count == world.wanted) loop_stop(&world.loop);
}

static void turn(void *context) {
  (void)context;
}

static int setup(void **state) {
  (void)state;
  world.count = world.wanted = 0;
  assert_int_equal(loop_init(&world.loop, deliver, turn, NULL), 0);
  world.timers = timers_create(&world.loop);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  timers_destroy(world.timers);
  loop_finish(&world.loop);
  return 0;
}

static void they_come_in_the_order_of_their_deadlines(void **state) {
  (void)state;
  uint64_t late = timers_after(world.timers, 30), soon = timers_after(world.timers, 5);
  uint64_t middle = timers_after(world.timers, 15), now = timers_after(world.timers, 0);
  world.wanted = 4;
  loop_run(&world.loop);
  assert_int_equal(world.ids[0], now);
  assert_int_equal(world.ids[1], soon);
  assert_int_equal(world.ids[2], middle);
  assert_int_equal(world.ids[3], late);
}

static void none_comes_early(void **state) {
  (void)state;
  for (uint64_t delay_ms = 1; delay_ms <= 20; delay_ms++) {
    uint64_t before_us = loop_now_us(&world.loop);
    timers_after(world.timers, delay_ms);
    world.wanted = world.count + 1;
    world.loop.stopping = false;
    loop_run(&world.loop);
    assert_in_range(loop_now_us(&world.loop) - before_us, delay_ms * 1000, 10000000);
  }
}

static void a_loop_with_none_left_ends(void **state) {
  (void)state;
  uint64_t id = timers_after(world.timers, 3600000);
  assert_true(timers_cancel(world.timers, id));
  assert_false(timers_cancel(world.timers, id));
  loop_run(&world.loop);
  assert_int_equal(world.count, 0);
}

static uint64_t delay_of(size_t i) {
  return i * 7919 % 40;
}

static void cancelled_ones_stay_away_whatever_their_place(void **state) {
  (void)state;
  enum { COUNT = 1000, LEFT = COUNT - (COUNT + 2) / 3 };
  uint64_t ids[COUNT];
  for (size_t i = 0; i < COUNT; i++) ids[i] = timers_after(world.timers, delay_of(i));
  for (size_t i = 0; i < COUNT; i += 3) assert_true(timers_cancel(world.timers, ids[i]));
  assert_int_equal(timers_count(world.timers), LEFT);
  loop_run(&world.loop); // ends when none is left
  assert_int_equal(world.count, LEFT);
  for (size_t i = 0; i < world.count; i++) assert_true((world.ids[i] - ids[0]) % 3 != 0);
}

static void ten_thousand_sleepers_are_cheap(void **state) {
  (void)state;
  clock_t before = clock(); // of the processor: what others take of a busy machine isn't ours
  uint64_t first = timers_after(world.timers, 3600000), last = first;
  for (uint64_t i = 1; i < 10000; i++) last = timers_after(world.timers, 3600000 - i);
  assert_int_equal(timers_count(world.timers), 10000);
  for (uint64_t id = first; id <= last; id++) assert_true(timers_cancel(world.timers, id));
  assert_in_range(clock() - before, 0, CLOCKS_PER_SEC);
}

struct own {
  struct timer timer;
  int fired, limit;
  uint64_t delay_ms;
  struct timer *victim;
};

static void fire(struct timer *timer) {
  struct own *own = list_entry(timer, struct own, timer);
  own->fired++;
  if (own->victim) timer_stop(world.timers, own->victim);
  if (own->fired < own->limit) timer_start(world.timers, timer, own->delay_ms, fire);
}

static void one_may_start_itself_again(void **state) {
  (void)state;
  struct own own = {.limit = 5, .delay_ms = 2};
  timer_start(world.timers, &own.timer, 1, fire);
  assert_true(timer_running(&own.timer));
  loop_run(&world.loop);
  assert_int_equal(own.fired, 5);
  assert_false(timer_running(&own.timer));
}

static void one_that_starts_itself_without_delay_lets_others_run(void **state) {
  (void)state;
  struct own own = {.limit = 1000000, .delay_ms = 0};
  timer_start(world.timers, &own.timer, 0, fire);
  timers_after(world.timers, 5);
  world.wanted = 1;
  loop_run(&world.loop);
  assert_int_equal(world.count, 1);
  timer_stop(world.timers, &own.timer);
}

static void one_may_stop_another_that_is_due_too(void **state) {
  (void)state;
  struct own second = {.limit = 1}, first = {.limit = 1, .victim = &second.timer};
  timer_start(world.timers, &first.timer, 1, fire);
  timer_start(world.timers, &second.timer, 1, fire);
  loop_run(&world.loop);
  assert_int_equal(first.fired, 1);
  assert_int_equal(second.fired, 0);
}

static void starting_a_running_one_moves_it(void **state) {
  (void)state;
  struct own own = {.limit = 1};
  timer_start(world.timers, &own.timer, 3600000, fire);
  timer_start(world.timers, &own.timer, 1, fire);
  assert_int_equal(timers_count(world.timers), 1);
  loop_run(&world.loop);
  assert_int_equal(own.fired, 1);
}

static void absurd_delays_are_only_long(void **state) {
  (void)state;
  uint64_t id = timers_after(world.timers, UINT64_MAX);
  timers_after(world.timers, 1);
  world.wanted = 1;
  loop_run(&world.loop);
  assert_int_equal(world.count, 1);
  assert_true(timers_cancel(world.timers, id));
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_world(they_come_in_the_order_of_their_deadlines),
      with_world(none_comes_early),
      with_world(a_loop_with_none_left_ends),
      with_world(cancelled_ones_stay_away_whatever_their_place),
      with_world(ten_thousand_sleepers_are_cheap),
      with_world(one_may_start_itself_again),
      with_world(one_that_starts_itself_without_delay_lets_others_run),
      with_world(one_may_stop_another_that_is_due_too),
      with_world(starting_a_running_one_moves_it),
      with_world(absurd_delays_are_only_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
