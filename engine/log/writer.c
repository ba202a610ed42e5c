#include "log/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/clock.h"

#define RETRY_US     2000000u
#define TRIM_US      1000000u
#define DROPPED_KEPT (64u << 10)
#define STACK_SIZE   (128u << 10)

struct writer {
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  pthread_cond_t work, idle; // something to do; something got done
  struct chunk_pool pool;
  writer_wake_fn wake;
  void *context;
  // Under the lock:
  struct store *ready_first, *ready_last; // with chunks to write, or to close
  struct store **faulted;                 // to be tried again
  unsigned faulted_count;
  uint64_t queued_bytes;
  bool busy; // the thread has a store in its hands
  bool stopping, room_wanted, armed;
  struct event_logfault *faults_first, *faults_last;
};

static void init_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

// False after `deadline_us` on the monotonic clock.
static bool wait_until(struct writer *writer, pthread_cond_t *condition, uint64_t deadline_us) {
  struct timespec at = {.tv_sec = (time_t)(deadline_us / 1000000),
                        .tv_nsec = (long)(deadline_us % 1000000 * 1000)};
  return pthread_cond_timedwait(condition, &writer->lock, &at) != ETIMEDOUT;
}

struct writer *writer_create(writer_wake_fn wake, void *context) {
  struct writer *writer = mem_new(sizeof *writer);
  pthread_mutex_init(&writer->lock, NULL);
  init_condition(&writer->work);
  init_condition(&writer->idle);
  chunk_pool_init(&writer->pool);
  writer->wake = wake;
  writer->context = context;
  return writer;
}

static bool is_idle(const struct writer *writer) {
  return !writer->busy && !writer->ready_first && !writer->queued_bytes;
}

bool writer_flush(struct writer *writer, unsigned timeout_ms) {
  uint64_t deadline = clock_mono_us() + (uint64_t)timeout_ms * 1000;
  pthread_mutex_lock(&writer->lock);
  while (!is_idle(writer) && wait_until(writer, &writer->idle, deadline)) {}
  bool idle = is_idle(writer);
  pthread_mutex_unlock(&writer->lock);
  return idle;
}

// Every store has been closed. A thread that hangs in a dead file system is left behind.
void writer_destroy(struct writer *writer, unsigned timeout_ms) {
  if (!writer) return;
  if (writer->started) {
    bool idle = writer_flush(writer, timeout_ms);
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    if (!idle) {
      pthread_detach(writer->thread);
      return; // with all it holds; stopping keeps it from calling wake
    }
    pthread_join(writer->thread, NULL);
  }
  for (struct event_logfault *fault = writer->faults_first, *next; fault; fault = next) {
    next = (struct event_logfault *)fault->event.next;
    free(fault->message);
    free(fault);
  }
  free(writer->faulted);
  chunk_pool_finish(&writer->pool);
  pthread_cond_destroy(&writer->work);
  pthread_cond_destroy(&writer->idle);
  pthread_mutex_destroy(&writer->lock);
  free(writer);
}

struct chunk_pool *writer_pool(struct writer *writer) {
  return &writer->pool;
}

static void make_ready(struct writer *writer, struct store *store) {
  if (store->ready) return;
  store->ready = true;
  store->next_ready = NULL;
  if (writer->ready_last)
    writer->ready_last->next_ready = store;
  else
    writer->ready_first = store;
  writer->ready_last = store;
  pthread_cond_signal(&writer->work);
}

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

// True when the loop wants to hear.
static bool news(struct writer *writer, struct store *store, uint64_t end_before) {
  bool wake = writer->faults_first != NULL;
  if (writer->room_wanted && writer->queued_bytes <= WRITER_QUEUE_ALL / 2 &&
      store->queued_bytes <= WRITER_QUEUE_LOG / 2) {
    writer->room_wanted = false;
    wake = true;
  }
  if (writer->armed && store->notify && store->end_offset != end_before) {
    writer->armed = false;
    wake = true;
  }
  return wake;
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
  uint64_t end_before = store->end_offset;
  store->end_offset = segment_end(&store->segment);
  store->lines += outcome.lines;
  store->lost_bytes += outcome.removed_bytes;
  if (outcome.removed) {
    tell(writer, store, "was removed or replaced from outside and is begun anew", 0, 0);
    tell(writer, store, NULL, 0, outcome.removed_bytes);
    store->lost_told += outcome.removed_bytes;
  }
  publish(writer, store, outcome.written_bytes, result);
  if (news(writer, store, end_before)) wake(writer);
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
  store->end_offset = segment_end(&store->segment);
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

static void close_store(struct writer *writer, struct store *store) {
  if (store->faulted) try_again(writer, store);
  if (store->faulted) fault_ends(writer, store);
  forget_dropped(store);
  pthread_mutex_unlock(&writer->lock);
  store_finish(store);
  free(store);
  pthread_mutex_lock(&writer->lock);
}

// Free chunks are kept while bytes flow, and for a while after.
static void rest(struct writer *writer) {
  if (!writer->pool.count)
    pthread_cond_wait(&writer->work, &writer->lock);
  else if (!wait_until(writer, &writer->work, clock_mono_us() + TRIM_US))
    chunk_pool_trim(&writer->pool);
}

static void *run(void *context) {
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
    uint64_t next = retry_due(writer);
    if (next > 1)
      wait_until(writer, &writer->work, next);
    else if (!next && !writer->ready_first && !writer->stopping)
      rest(writer);
  }
  pthread_mutex_unlock(&writer->lock);
  return NULL;
}

// The thread takes no signals: they are the loop's.
static int start(struct writer *writer) {
  if (writer->started) return 0;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&writer->thread, &attributes, run, writer);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  writer->started = error == 0;
  if (writer->started) pthread_setname_np(writer->thread, "pactlua-log");
  return -error;
}

struct store *writer_open(struct writer *writer, const struct log_options *options, uint64_t id,
                          int *error) {
  *error = start(writer);
  if (*error != 0) return NULL;
  struct store *store = mem_new(sizeof *store);
  *error = store_init(store, options, id);
  if (*error == -EBUSY && writer_flush(writer, 1000)) { // perhaps one of ours that is closing
    store_finish(store);
    *error = store_init(store, options, id);
  }
  if (*error != 0) {
    store_finish(store);
    free(store);
    return NULL;
  }
  return store;
}

void writer_close(struct writer *writer, struct store *store) {
  pthread_mutex_lock(&writer->lock);
  store->closing = true;
  make_ready(writer, store);
  pthread_mutex_unlock(&writer->lock);
}

void writer_push(struct writer *writer, struct store *store, struct chunk *chunk) {
  pthread_mutex_lock(&writer->lock);
  chunk_append(&store->pending, chunk);
  store->queued_bytes += chunk_charge(chunk);
  writer->queued_bytes += chunk_charge(chunk);
  make_ready(writer, store);
  pthread_mutex_unlock(&writer->lock);
}

bool writer_has_room(struct writer *writer, struct store *store) {
  pthread_mutex_lock(&writer->lock);
  bool room = store->queued_bytes < WRITER_QUEUE_LITTLE ||
              (store->queued_bytes < WRITER_QUEUE_LOG && writer->queued_bytes < WRITER_QUEUE_ALL);
  if (writer->queued_bytes >= WRITER_QUEUE_HARD) room = false;
  if (!room) writer->room_wanted = true;
  pthread_mutex_unlock(&writer->lock);
  return room;
}

bool writer_wait_room(struct writer *writer, struct store *store, unsigned timeout_ms) {
  uint64_t deadline = 0;
  pthread_mutex_lock(&writer->lock);
  bool room = true;
  while (store->queued_bytes >= WRITER_QUEUE_HARD && room) {
    if (!deadline) deadline = clock_mono_us() + timeout_ms * 1000u;
    room = wait_until(writer, &writer->idle, deadline);
  }
  room = store->queued_bytes < WRITER_QUEUE_HARD;
  pthread_mutex_unlock(&writer->lock);
  return room;
}

void writer_count_lost(struct writer *writer, struct store *store, uint64_t bytes) {
  pthread_mutex_lock(&writer->lock);
  store->lost_bytes += bytes;
  pthread_mutex_unlock(&writer->lock);
}

void writer_notify(struct writer *writer, struct store *store, bool on) {
  pthread_mutex_lock(&writer->lock);
  store->notify = on;
  pthread_mutex_unlock(&writer->lock);
}

void writer_arm(struct writer *writer) {
  pthread_mutex_lock(&writer->lock);
  writer->armed = true;
  pthread_mutex_unlock(&writer->lock);
}

void writer_stat(struct writer *writer, struct store *store, struct log_stat *stat) {
  pthread_mutex_lock(&writer->lock);
  *stat = (struct log_stat){.size_bytes = store->end_offset,
                            .lines = store->lines,
                            .lost_bytes = store->lost_bytes,
                            .path = store->path};
  for (struct chunk *chunk = store->pending.first; chunk; chunk = chunk->next)
    stat->queued_bytes += chunk->size;
  for (struct chunk *chunk = store->writing.first; chunk; chunk = chunk->next)
    stat->queued_bytes += chunk->size;
  pthread_mutex_unlock(&writer->lock);
}

static void copy_list(const struct chunk_list *from, struct chunk_list *to) {
  for (struct chunk *chunk = from->first; chunk; chunk = chunk->next) {
    struct chunk *copy = chunk_copy(chunk_bytes(chunk), chunk->size);
    copy->wall_us = chunk->wall_us;
    copy->epoch = chunk->epoch;
    copy->stream = chunk->stream;
    copy->source = chunk->source;
    copy->flags = chunk->flags;
    chunk_append(to, copy);
  }
}

void writer_snapshot(struct writer *writer, struct store *store, struct writer_snapshot *snapshot) {
  *snapshot = (struct writer_snapshot){0};
  pthread_mutex_lock(&writer->lock);
  snapshot->end_offset = store->end_offset;
  copy_list(&store->dropped, &snapshot->chunks);
  copy_list(&store->writing, &snapshot->chunks);
  copy_list(&store->pending, &snapshot->chunks);
  pthread_mutex_unlock(&writer->lock);
}

struct event_logfault *writer_take_faults(struct writer *writer) {
  pthread_mutex_lock(&writer->lock);
  struct event_logfault *faults = writer->faults_first;
  writer->faults_first = writer->faults_last = NULL;
  pthread_mutex_unlock(&writer->lock);
  return faults;
}
