#include "log/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/writer_thread.h"

// Files without bytes can wait until the start is over, which it is when no log has been opened for
// a while.
#define OPEN_US          100000u
#define OPEN_AT_MOST_US  5000000u
#define STACK_SIZE       (128u << 10)
#define FOLLOWER_WAIT_US 2000000u // a follower that is told of news now is there by then

struct writer *writer_create(writer_wake_fn wake, void *context) {
  struct writer *writer = mem_new(sizeof *writer);
  pthread_mutex_init(&writer->lock, NULL);
  clock_init_condition(&writer->work);
  clock_init_condition(&writer->idle);
  chunk_pool_init(&writer->pool);
  list_init(&writer->unopened);
  list_init(&writer->news);
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
  while (!is_idle(writer) && clock_wait_until(&writer->idle, &writer->lock, deadline)) {}
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

// The thread takes no signals: they are the loop's.
static int start(struct writer *writer) {
  if (writer->started) return 0;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&writer->thread, &attributes, writer_thread_run, writer);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  writer->started = error == 0;
  if (writer->started) pthread_setname_np(writer->thread, "pactlua-log");
  return -error;
}

static bool is_closing_any(struct writer *writer) {
  pthread_mutex_lock(&writer->lock);
  bool closing = writer->closing_count > 0;
  pthread_mutex_unlock(&writer->lock);
  return closing;
}

static void open_later(struct writer *writer, struct store *store) {
  uint64_t now = clock_mono_us();
  pthread_mutex_lock(&writer->lock);
  if (list_empty(&writer->unopened)) {
    writer->open_by_us = now + OPEN_AT_MOST_US;
    pthread_cond_signal(&writer->work);
  }
  writer->open_us = now + OPEN_US < writer->open_by_us ? now + OPEN_US : writer->open_by_us;
  list_append(&writer->unopened, &store->unopened);
  writer->unopened_count++;
  pthread_mutex_unlock(&writer->lock);
}

unsigned writer_unopened(struct writer *writer) {
  pthread_mutex_lock(&writer->lock);
  unsigned count = writer->unopened_count;
  pthread_mutex_unlock(&writer->lock);
  return count;
}

struct store *writer_open(struct writer *writer, const struct log_options *options, uint64_t id,
                          int *error) {
  *error = start(writer);
  if (*error != 0) return NULL;
  if (is_closing_any(writer)) writer_flush(writer, 1000); // perhaps one of the same name
  struct store *store = mem_new(sizeof *store);
  *error = store_init(store, options, id);
  if (*error != 0) {
    store_finish(store);
    free(store);
    return NULL;
  }
  if (!store_is_open(store)) open_later(writer, store);
  return store;
}

void writer_close(struct writer *writer, struct store *store) {
  pthread_mutex_lock(&writer->lock);
  store->closing = true;
  store->notify = false;
  list_remove(&store->news);
  writer->closing_count++;
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
    room = clock_wait_until(&writer->idle, &writer->lock, deadline);
  }
  room = store->queued_bytes < WRITER_QUEUE_HARD;
  pthread_mutex_unlock(&writer->lock);
  return room;
}

bool writer_settle(struct writer *writer, struct store *store, unsigned timeout_ms) {
  pthread_mutex_lock(&writer->lock);
  uint64_t deadline = store->queued_bytes ? clock_mono_us() + timeout_ms * 1000u : 0;
  while (store->queued_bytes && clock_wait_until(&writer->idle, &writer->lock, deadline)) {}
  bool settled = !store->queued_bytes;
  pthread_mutex_unlock(&writer->lock);
  return settled;
}

void writer_count_lost(struct writer *writer, struct store *store, uint64_t bytes) {
  pthread_mutex_lock(&writer->lock);
  store->lost_bytes += bytes;
  pthread_mutex_unlock(&writer->lock);
}

void writer_notify(struct writer *writer, struct store *store, enum log_notice notice) {
  pthread_mutex_lock(&writer->lock);
  store->notify = notice != LOG_UNTOLD;
  list_remove(&store->news);
  store->awaited_until_us = notice == LOG_FOLLOWED ? clock_mono_us() + FOLLOWER_WAIT_US : 0;
  pthread_mutex_unlock(&writer->lock);
}

void writer_arm(struct writer *writer) {
  pthread_mutex_lock(&writer->lock);
  writer->armed = true;
  pthread_mutex_unlock(&writer->lock);
}

size_t writer_take_news(struct writer *writer, struct writer_news *news, size_t most) {
  size_t count = 0;
  pthread_mutex_lock(&writer->lock);
  while (count < most && !list_empty(&writer->news)) {
    struct store *store = list_entry(writer->news.next, struct store, news);
    list_remove(&store->news);
    news[count++] = (struct writer_news){store->id, store->end_offset, store->lines};
  }
  pthread_mutex_unlock(&writer->lock);
  return count;
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
