// Lines of logs as JSON objects, by their files alone, pulled piece by piece: first a window of
// each, then, if that is wanted, what comes. A feed remembers its place in every log, so nothing
// between window and what follows is left out or comes twice, through rotation too. Between pulls
// it holds nothing, no descriptor and no lock: who pulls slowly keeps no file from being deleted,
// and is told how many bytes were. The work of one pull is bounded.
//
// An object is `head`, then `"at":1716…,"stream":"stdout","epoch":1,"text":"…"`, then `tail`: at is
// the wall clock's ms. A line that hasn't ended has "partial":true, what goes on with it
// "continues":true; lines are cut at 64 KiB in the same way. Bytes that are no UTF-8 become \xNN.
// In place of lines that are gone stands `head`, `"missed":<bytes>`, `tail`.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/bytes.h"
#include "log/needle.h"

#define FEED_ALL UINT64_MAX

struct feed;

struct feed_options {
  uint64_t lines;      // of each log the last so many that pass; FEED_ALL
  uint64_t since_ms;   // wall clock; 0: all
  int stream;          // 0: any
  struct needle *grep; // NULL: any text. A line that has not ended is looked at when it has
  bool follow;         // goes on with what comes
};

enum feed_state {
  FEED_MORE, // there may be more at once
  FEED_SOON, // files are moving: in some milliseconds
  FEED_IDLE, // when one of them is woken
  FEED_DONE, // never
};

// Takes the needle's content.
struct feed *feed_create(const struct feed_options *options);
void feed_destroy(struct feed *feed); // NULL is fine
// A log that may come to be only later. `whole`: from its first byte on, whatever the window is.
// Gives its number, for feed_wake.
size_t feed_add(struct feed *feed, const char *dir, const char *name, const char *head,
                const char *tail, bool whole);
void feed_wake(struct feed *feed, size_t number); // it may have grown
// Adds whole objects to `out`, until that holds about `size` bytes.
enum feed_state feed_pull(struct feed *feed, size_t size, struct bytes *out);
// Says of every log how much of what it holds now has not been pulled. Nothing comes any more.
void feed_end(struct feed *feed, struct bytes *out);
