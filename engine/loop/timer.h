// Timers on the monotonic clock. They live in their owner's struct and in one heap behind a single
// timer of libuv, so that ten thousand sleepers cost ten thousand heap slots and nothing else.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct timers;
struct timer;

typedef void (*timer_fn)(struct timer *timer);

// Zeroed is a timer that isn't running. The owner keeps the memory until it has fired or stopped.
struct timer {
  uint64_t due_us;   // on the monotonic clock
  uint64_t sequence; // orders timers that are due together
  size_t slot;       // place in the heap, 0 when not running
  timer_fn fire;
};

// What EV_TIMER carries: no more than its id.
struct timer_event {
  struct event event;
};

struct timers *timers_create(struct loop *loop);
void timers_destroy(struct timers *timers); // NULL is fine; forgets all that run

// Calls `fire` once, `delay_ms` from now and never earlier, from within the loop. Starting a timer
// that runs moves it. `fire` may start it again, stop others and free its owner.
void timer_start(struct timers *timers, struct timer *timer, uint64_t delay_ms, timer_fn fire);
void timer_stop(struct timers *timers, struct timer *timer);
bool timer_running(const struct timer *timer);

// A timer that is an operation of its own: EV_TIMER with the id returned.
uint64_t timers_after(struct timers *timers, uint64_t delay_ms);
bool timers_cancel(struct timers *timers, uint64_t id); // false: no such timer runs
size_t timers_count(const struct timers *timers);       // how many run
