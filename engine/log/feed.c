#include "log/feed.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/feed_seek.h"

#define SLICE_US 2000u // of one pull
#define OPEN_MAX 64u   // logs with descriptors at a time
#define TURN     64u   // records of one log before the others are looked at again

struct feed {
  struct feed_options options;
  struct needle needle;
  struct feed_log *logs;
  size_t count, capacity;
  unsigned open; // logs that may have descriptors
  size_t release_at;
  struct feed_sink sink;
  uint64_t until_us; // of this pull
};

struct feed *feed_create(const struct feed_options *options) {
  struct feed *feed = mem_new(sizeof *feed);
  *feed = (struct feed){.options = *options};
  if (options->grep) {
    feed->needle = *options->grep;
    feed->options.grep = &feed->needle;
  }
  feed->sink.options = &feed->options;
  return feed;
}

void feed_destroy(struct feed *feed) {
  if (!feed) return;
  for (size_t i = 0; i < feed->count; i++) feed_log_finish(&feed->logs[i]);
  free(feed->logs);
  bytes_finish(&feed->sink.block);
  if (feed->options.grep) needle_finish(&feed->needle);
  free(feed);
}

size_t feed_add(struct feed *feed, const char *dir, const char *name, const char *head,
                const char *tail, bool whole) {
  if (feed->count == feed->capacity) {
    feed->capacity = feed->capacity ? feed->capacity * 2 : 4;
    feed->logs = mem_resize(feed->logs, feed->capacity * sizeof *feed->logs);
  }
  size_t size = strlen(dir) + strlen(name) + 2;
  struct feed_log *log = &feed->logs[feed->count];
  *log = (struct feed_log){.stem = mem_new(size),
                           .head = mem_strdup(head),
                           .tail = mem_strdup(tail),
                           .head_size = strlen(head),
                           .tail_size = strlen(tail),
                           .reader = {.log_fd = -1, .index_fd = -1},
                           .phase = whole ? FEED_READ : FEED_BEGIN,
                           .end = UINT64_MAX,
                           .awake = true};
  snprintf(log->stem, size, "%s/%s", dir, name);
  return feed->count++;
}

void feed_wake(struct feed *feed, size_t number) {
  if (number < feed->count) feed->logs[number].awake = true;
}

static bool time_is_up(const struct feed *feed) {
  return clock_mono_us() >= feed->until_us;
}

// Makes room for one more that opens files.
static void limit_open(struct feed *feed, const struct feed_log *opens) {
  if (opens->open || feed->open++ < OPEN_MAX) return;
  for (size_t i = 0; i < feed->count; i++) {
    struct feed_log *log = &feed->logs[feed->release_at++ % feed->count];
    if (!log->open) continue;
    feed_log_release(log);
    feed->open--;
    return;
  }
}

static void release_all(struct feed *feed) {
  for (size_t i = 0; i < feed->count; i++) feed_log_pause(&feed->logs[i]);
  feed->open = 0;
  bytes_finish(&feed->sink.block);
}

// FEED_IDLE: every log is at the beginning of its window.
static enum feed_state seek(struct feed *feed) {
  for (size_t i = 0; i < feed->count; i++) {
    struct feed_log *log = &feed->logs[i];
    while (log->phase < FEED_READ) {
      limit_open(feed, log);
      bool moves = feed_seek_step(&feed->sink, log) == FEED_MOVING;
      if (time_is_up(feed)) return moves ? FEED_SOON : FEED_MORE;
      if (moves) sched_yield(); // to who renames: that takes microseconds
    }
  }
  return FEED_IDLE;
}

static void come_to_end(struct feed *feed, struct feed_log *log, bool for_good) {
  feed_lines_missed(&feed->sink, log);
  feed_lines_settle(&feed->sink, log, for_good);
  log->awake = false;
  if (for_good) log->phase = FEED_END;
}

// The log with the oldest record, and the time of the oldest among the others.
static struct feed_log *pick(struct feed *feed, uint64_t *others_us, bool *moving) {
  struct feed_log *oldest = NULL;
  uint64_t oldest_us = UINT64_MAX;
  *others_us = UINT64_MAX;
  for (size_t i = 0; i < feed->count; i++) {
    struct feed_log *log = &feed->logs[i];
    if (!log->awake || log->phase == FEED_END) continue;
    if (log->ahead_at == log->ahead_count) limit_open(feed, log);
    enum feed_look there = feed_log_look(log);
    bool follow = feed->options.follow;
    if (there == FEED_MOVING) {
      *moving = true;
    } else if (there == FEED_NOTHING || (!follow && feed_log_record(log)->offset >= log->end)) {
      come_to_end(feed, log, !follow);
    } else {
      uint64_t at_us = feed_log_record(log)->mono_us;
      if (!oldest || at_us < oldest_us) {
        *others_us = oldest_us;
        oldest = log;
        oldest_us = at_us;
      } else if (at_us < *others_us) {
        *others_us = at_us;
      }
    }
  }
  return oldest;
}

static bool is_enough(const struct feed *feed) {
  return feed->sink.out->size >= feed->sink.size || time_is_up(feed);
}

static void take_some(struct feed *feed, struct feed_log *log, uint64_t until_us) {
  for (unsigned i = 0; i < TURN && !is_enough(feed); i++) {
    limit_open(feed, log);
    if (feed_log_ready(log) != FEED_THERE) return;
    const struct index_record *record = feed_log_record(log);
    if (i > 0 && record->mono_us > until_us) return;
    if (!feed->options.follow && record->offset >= log->end) return;
    feed_lines_missed(&feed->sink, log);
    feed_lines_take(&feed->sink, log);
  }
}

static enum feed_state read_on(struct feed *feed) {
  bool moving = false;
  while (!is_enough(feed)) {
    uint64_t others_us;
    moving = false;
    struct feed_log *log = pick(feed, &others_us, &moving);
    if (log) {
      take_some(feed, log, others_us);
      continue;
    }
    if (!moving) return feed->options.follow ? FEED_IDLE : FEED_DONE;
    sched_yield(); // to who renames: that takes microseconds
  }
  return moving ? FEED_SOON : FEED_MORE;
}

enum feed_state feed_pull(struct feed *feed, size_t size, struct bytes *out) {
  feed->until_us = clock_mono_us() + SLICE_US;
  feed->sink.out = out;
  feed->sink.size = size;
  enum feed_state state = seek(feed);
  if (state == FEED_IDLE) state = read_on(feed);
  release_all(feed);
  return state;
}

void feed_end(struct feed *feed, struct bytes *out) {
  feed->sink.out = out;
  for (size_t i = 0; i < feed->count; i++) {
    struct feed_log *log = &feed->logs[i];
    struct feed_place end;
    if (log->phase == FEED_END) continue;
    if (feed_log_end(log, &end) == FEED_THERE && end.offset > log->place.offset + log->place.at)
      log->missed += end.offset - log->place.offset - log->place.at;
    come_to_end(feed, log, true);
  }
  release_all(feed);
}
