// The one thread that writes all logs, and the bounded queue before it. Functions are for the
// loop's thread; what the writer has to say is fetched with writer_take_faults and writer_stat
// after it has called `wake` (from its own thread: an uv_async_send).
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "log/chunk.h"
#include "log/logs.h"
#include "log/store.h"

// In memory, buffers included. A log may always have a little, so that a flood elsewhere doesn't
// stop it; what is above the hard bound is never taken.
#define WRITER_QUEUE_LOG    (3u << 18)
#define WRITER_QUEUE_ALL    (5u << 18)
#define WRITER_QUEUE_LITTLE (16u << 10)
#define WRITER_QUEUE_HARD   (4u << 20)

typedef void (*writer_wake_fn)(void *context);

struct writer;

// What is not in the files yet, copied: dropped ones, then queued ones.
struct writer_snapshot {
  struct chunk_list chunks; // the caller's
  uint64_t end_offset;      // the files are to be read up to here
};

struct writer_news {
  uint64_t id; // of the store
  uint64_t end_offset, lines;
};

struct writer *writer_create(writer_wake_fn wake, void *context);
// Writes what is queued, at most for `timeout_ms`, and closes all stores.
void writer_destroy(struct writer *writer, unsigned timeout_ms);
struct chunk_pool *writer_pool(struct writer *writer);

// Opens the files here and now: the store, or NULL with *error -errno. A store of the same stem
// that is still closing is waited for.
struct store *writer_open(struct writer *writer, const struct log_options *options, uint64_t id,
                          int *error);
// How many stores have files that are still to be made.
unsigned writer_unopened(struct writer *writer);
void writer_close(struct writer *writer, struct store *store); // when all is written
void writer_push(struct writer *writer, struct store *store, struct chunk *chunk); // owns it
// False: read no more for this log; `wake` comes when there is room again.
bool writer_has_room(struct writer *writer, struct store *store);
// Waits for room below the hard bound; false when there was none in time.
bool writer_wait_room(struct writer *writer, struct store *store, unsigned timeout_ms);
// Waits until nothing of this log is queued; false when that takes longer.
bool writer_settle(struct writer *writer, struct store *store, unsigned timeout_ms);
// What didn't even get into the queue.
void writer_count_lost(struct writer *writer, struct store *store, uint64_t bytes);
bool writer_flush(struct writer *writer, unsigned timeout_ms);

// `wake` is called once when bytes of a store that notifies have been written, until armed again.
void writer_notify(struct writer *writer, struct store *store, enum log_notice notice);
void writer_arm(struct writer *writer);
// Takes stores that notify and have grown since they were last taken: each once, `most` of them at
// most. Gives their number.
size_t writer_take_news(struct writer *writer, struct writer_news *news, size_t most);

void writer_stat(struct writer *writer, struct store *store, struct log_stat *stat);
void writer_snapshot(struct writer *writer, struct store *store, struct writer_snapshot *snapshot);
// Linked by event.next, oldest first; the caller's.
struct event_logfault *writer_take_faults(struct writer *writer);
