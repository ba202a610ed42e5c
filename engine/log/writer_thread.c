#include "log/writer_thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/clock.h"

#define RETRY_US     2000000u
#define TRIM_US      1000000u
#define DROPPED_KEPT (64u << 10)

static struct store *take_ready(struct writer *writer) {
  struct store *store = writer->ready_first;
  writer->ready_first = store->next_ready;
  if (!writer->ready_first) writer->ready_last = NULL;
  store->ready = false;
  return store;
}

static void tell(struct writer *writer, struct store *store, const char *what, int error,
                 uint64_t lost_bytes) {
  struct event_logfault *fault = mem_new(sizeof *fault);
  fault->event.kind = EV_LOGFAULT;
  fault->event.id = store->id;
  fault->lost_bytes = lost_bytes;
  if (what) {
    const char *why = error ? strerror(error) : "";
    size_t size = strlen(what) + strlen(store->path) + strlen(why) + 16;
    fault->message = mem_new(size);
    snprintf(fault->message, size, "%s: %s%s%s", store->path, what, error ? ": " : "", why);
  }
  if (writer->faults_last)
    writer->faults_last->event.next = &fault->event;
  else
    writer->faults_first = fault;
  writer->faults_last = fault;
}

static void wake(struct writer *writer) {
  if (!writer->stopping) writer->wake(writer->context);
}

// The last bytes that found no disk are kept, so that there is something to look at.
static void drop(struct store *store, struct chunk *chunk) {
  store->lost_bytes += chunk->size;
  uint32_t kept = chunk->size < DROPPED_KEPT ? chunk->size : DROPPED_KEPT;
  struct chunk *copy = chunk_copy(chunk_bytes(chunk) + chunk->size - kept, kept);
  copy->wall_us = chunk->wall_us;
  copy->mono_us = chunk->mono_us;
  copy->epoch = chunk->epoch;
  copy->stream = chunk->stream;
  copy->source = chunk->source;
  copy->flags = chunk->flags;
  chunk_append(&store->dropped, copy);
  store->dropped_bytes += kept;
  while (store->dropped_bytes > DROPPED_KEPT) {
    struct chunk *oldest = chunk_shift(&store->dropped);
    store->dropped_bytes -= oldest->size;
    free(oldest);
  }
}

static void forget_dropped(struct store *store) {
  for (struct chunk *chunk; (chunk = chunk_shift(&store->dropped));) free(chunk);
  store->dropped_bytes = 0;
}

static void fault_begins(struct writer *writer, struct store *store, int error) {
  store->faulted = true;
  store->retry_us = clock_mono_us() + RETRY_US;
  writer->faulted =
      mem_resize(writer->faulted, (writer->faulted_count + 1) * sizeof(struct store *));
  writer->faulted[writer->faulted_count++] = store;
  tell(writer, store, "cannot be written, output is read on and dropped until it can be again",
       -error, 0);
}

static void fault_ends(struct writer *writer, struct store *store) {
  store->faulted = false;
  for (unsigned i = 0; i < writer->faulted_count; i++)
    if (writer->faulted[i] == store) {
      writer->faulted[i] = writer->faulted[--writer->faulted_count];
      break;
    }
}

// Takes the written chunks off, and drops the others when writing failed. Under the lock.
static void publish(struct writer *writer, struct store *store, uint64_t written, int result) {
  for (struct chunk *chunk; (chunk = chunk_shift(&store->writing));) {
    uint32_t size = chunk->size, charge = chunk_charge(chunk);
    if (written < size) {
      chunk->start += (uint32_t)written;
      chunk->size -= (uint32_t)written;
      drop(store, chunk);
    }
    written -= written < size ? written : size;
    store->queued_bytes -= charge;
    writer->queued_bytes -= charge;
    chunk_release(&writer->pool, chunk);
  }
  if (result != 0 && !store->faulted) fault_begins(writer, store, result);
}

// Takes over how far its file goes now. Under the lock.
static void grow(struct writer *writer, struct store *store) {
  uint64_t end = segment_end(&store->segment);
  if (end != store->end_offset && store->notify && list_empty(&store->news))
    list_append(&writer->news, &store->news);
  store->end_offset = end;
}

// True when the loop wants to hear.
static bool wants_to_hear(struct writer *writer, const struct store *store) {
  bool wake = writer->faults_first != NULL;
  if (writer->room_wanted && writer->queued_bytes <= WRITER_QUEUE_ALL / 2 &&
      store->queued_bytes <= WRITER_QUEUE_LOG / 2) {
    writer->room_wanted = false;
    wake = true;
  }
  if (writer->armed && !list_empty(&writer->news)) {
    writer->armed = false;
    wake = true;
  }
  return wake;
}

static bool starved(int error) {
  return error == -EMFILE || error == -ENFILE;
}

static void stay_unopened(struct writer *writer, struct store *store) {
  if (!list_empty(&store->unopened)) return;
  list_append(&writer->unopened, &store->unopened);
  writer->unopened_count++;
  writer->open_us = clock_mono_us() + RETRY_US;
}

// No descriptor is left for its files: bytes wait for one, too, and their writer with them.
static void put_back(struct writer *writer, struct store *store) {
  for (struct chunk *chunk; (chunk = chunk_shift(&store->pending));)
    chunk_append(&store->writing, chunk);
  store->pending = store->writing;
  store->writing = (struct chunk_list){0};
  stay_unopened(writer, store);
}

// Called and left under the lock.
static void write_pending(struct writer *writer, struct store *store) {
  struct store_outcome outcome = {0};
  int result = 0;
  store->writing = store->pending;
  store->pending = (struct chunk_list){0};
  if (!store->faulted) {
    pthread_mutex_unlock(&writer->lock);
    result = store_write(store, &store->writing, &outcome);
    pthread_mutex_lock(&writer->lock);
  }
  if (starved(result) && !store_is_open(store) && !store->closing) return put_back(writer, store);
  grow(writer, store);
  store->lines += outcome.lines;
  store->lost_bytes += outcome.removed_bytes;
  if (outcome.removed) {
    tell(writer, store, "was removed or replaced from outside and is begun anew", 0, 0);
    tell(writer, store, NULL, 0, outcome.removed_bytes);
    store->lost_told += outcome.removed_bytes;
  }
  publish(writer, store, outcome.written_bytes, result);
  if (wants_to_hear(writer, store)) wake(writer);
}

static void try_again(struct writer *writer, struct store *store) {
  uint64_t lost = store->lost_bytes - store->lost_told;
  pthread_mutex_unlock(&writer->lock);
  int result = store_retry(store, lost);
  pthread_mutex_lock(&writer->lock);
  store->retry_us = clock_mono_us() + RETRY_US;
  if (result != 0) return;
  fault_ends(writer, store);
  forget_dropped(store);
  store->lost_told += lost;
  grow(writer, store);
  tell(writer, store, NULL, 0, lost);
  wake(writer);
}

// The first whose time has come is tried; the time of the next one, or 0 for none.
static uint64_t retry_due(struct writer *writer) {
  uint64_t next = 0, now = writer->faulted_count ? clock_mono_us() : 0;
  for (unsigned i = 0; i < writer->faulted_count; i++) {
    struct store *store = writer->faulted[i];
    if (store->retry_us <= now) {
      try_again(writer, store);
      return 1;
    }
    if (!next || store->retry_us < next) next = store->retry_us;
  }
  return next;
}

// Makes the files of a log that has nothing to write yet. Called and left under the lock.
static void open_empty(struct writer *writer, struct store *store) {
  if (!list_empty(&store->unopened)) writer->unopened_count--;
  list_remove(&store->unopened);
  if (store_is_open(store) || store->faulted) return;
  pthread_mutex_unlock(&writer->lock);
  int result = store_open(store);
  pthread_mutex_lock(&writer->lock);
  grow(writer, store);
  if (result == 0) return;
  if (starved(result) && !store->closing) return stay_unopened(writer, store);
  fault_begins(writer, store, result);
  wake(writer);
}

// The time when the next one is due, 1 when one was opened just now, 0 for none.
static uint64_t open_due(struct writer *writer) {
  if (list_empty(&writer->unopened)) return 0;
  if (clock_mono_us() < writer->open_us) return writer->open_us;
  writer->busy = true;
  struct store *store = list_entry(writer->unopened.next, struct store, unopened);
  open_empty(writer, store);
  if (list_empty(&store->unopened) && store->pending.first && !store->ready)
    write_pending(writer, store);
  writer->busy = false;
  pthread_cond_broadcast(&writer->idle);
  return 1;
}

static void close_store(struct writer *writer, struct store *store) {
  open_empty(writer, store);
  if (store->faulted) try_again(writer, store);
  if (store->faulted) fault_ends(writer, store);
  forget_dropped(store);
  pthread_mutex_unlock(&writer->lock);
  store_finish(store);
  free(store);
  pthread_mutex_lock(&writer->lock);
  writer->closing_count--;
}

// Free chunks are kept while bytes flow, and for a while after.
static void rest(struct writer *writer) {
  if (!writer->pool.count)
    pthread_cond_wait(&writer->work, &writer->lock);
  else if (!clock_wait_until(&writer->work, &writer->lock, clock_mono_us() + TRIM_US))
    chunk_pool_trim(&writer->pool);
}

void *writer_thread_run(void *context) {
  struct writer *writer = context;
  pthread_mutex_lock(&writer->lock);
  for (;;) {
    if (writer->ready_first) {
      struct store *store = take_ready(writer);
      writer->busy = true;
      if (store->pending.first) write_pending(writer, store);
      // It may have become ready again meanwhile; then it is closed at its next turn.
      if (store->closing && !store->ready) close_store(writer, store);
      writer->busy = false;
      pthread_cond_broadcast(&writer->idle);
      continue;
    }
    if (writer->stopping) break;
    uint64_t retry = retry_due(writer), open = open_due(writer);
    if (retry == 1 || open == 1 || writer->ready_first || writer->stopping) continue;
    if (retry || open)
      clock_wait_until(&writer->work, &writer->lock,
                       !retry || (open && open < retry) ? open : retry);
    else
      rest(writer);
  }
  pthread_mutex_unlock(&writer->lock);
  return NULL;
}
