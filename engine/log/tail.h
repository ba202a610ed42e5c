// Follows logs by their files alone, as prefixed lines on one output: what a plain terminal shows.
// All logs that are awake are merged by the time of their chunks. Reading and writing have a thread
// of their own, with memory that doesn't grow, so that an output that stands still keeps nobody
// else.
//
// All functions are for the loop's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct tails;

struct tail_options {
  const char *dir, *name;          // <dir>/<name>.log, which need not be there yet
  const char *prefix, *err_prefix; // put before lines; err_prefix NULL: the same
  bool from_end;
};

// Output to descriptor 1. EV_GONE of id 0 when nobody can read it any more: from then on all is
// dropped, and drains are answered at once.
struct tails *tails_create(struct loop *loop);
struct tails *tails_create_fd(struct loop *loop, int fd);
// Hears of that also while nothing is written; where the descriptor can't tell (a file), never.
void tails_watch(struct tails *tails);
// Writes for up to 200 ms what has been woken or said.
void tails_destroy(struct tails *tails);

// *offset (or NULL) becomes that of the first byte that will be shown.
int tails_open(struct tails *tails, const struct tail_options *options, uint64_t *id,
               uint64_t *offset);
void tails_close(struct tails *tails, uint64_t id); // behind what is there
void tails_wake(struct tails *tails, uint64_t id);
void tails_style(struct tails *tails, bool escape);

// Text of our own, behind what was said before and behind the bytes that all logs hold by now. With
// `at_us` (monotonic, not to come) behind those that woken logs held then: nobody else is looked
// at. -EAGAIN when 1 MiB is waiting already.
int tails_say(struct tails *tails, const char *text, size_t size_bytes, uint64_t at_us);
// EV_DRAIN of the id when all that was there at the call is written.
uint64_t tails_drain(struct tails *tails);
bool tails_cancel(struct tails *tails, uint64_t id); // of a drain
