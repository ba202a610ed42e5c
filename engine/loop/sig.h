// Signals to this process as events.
#pragma once
#include <stdbool.h>

#include "loop/loop.h"

// Not a signal of the kernel: the process that guards this one (or, in the front, guard and
// engine) has ended. See roles/front_link.h.
#define SIG_GUARD 0

// What EV_SIGNAL carries; its id is always 0.
struct signal_event {
  struct event event;
  int signo; // or SIG_GUARD
};

struct signals;

struct signals *signals_create(struct loop *loop);
void signals_destroy(struct signals *signals); // NULL is fine; dispositions are the default again

int signals_on(struct signals *signals, int signo);   // -EINVAL for KILL, STOP and no signal
void signals_off(struct signals *signals, int signo); // the default disposition again
void signals_push(struct loop *loop, int signo);      // queues an EV_SIGNAL
