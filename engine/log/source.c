#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/clock.h"
#include "log/index.h"
#include "log/log.h"

#define TAIL_US   250000u
#define ORPHAN_US 1000000u
#define WORTH     (16u << 10) // a chunk with less is copied, and its memory used again

void source_init(struct source *source, struct log *log, int stream) {
  *source = (struct source){.log = log, .stream = stream, .number = log->next_source++};
  list_init(&source->tail);
}

void source_finish(struct source *source) {
  source_flush(source);
  watch_forget_source(source);
  bytes_finish(&source->held);
  bytes_finish(&source->pieces);
}

static void hand_on(struct source *source, struct chunk *chunk) {
  struct log *log = source->log;
  chunk->wall_us = clock_wall_us();
  chunk->mono_us = clock_mono_us();
  chunk->stream = (uint8_t)source->stream;
  chunk->source = source->number;
  chunk->epoch = source->ended ? source->epoch : log->epoch;
  if (source->open) chunk->flags |= INDEX_CONTINUES;
  source->open = chunk_bytes(chunk)[chunk->size - 1] != '\n';
  if (source->open) chunk->flags |= INDEX_UNTERMINATED;
  if (source->ended && chunk->mono_us - source->ended_us > ORPHAN_US)
    chunk->flags |= INDEX_ORPHANED;
  if (!list_empty(&log->watches))
    watch_feed(source, chunk_bytes(chunk), chunk->size);
  else if (source->pieces.data)
    bytes_finish(&source->pieces);
  writer_push(log->logs->writer, log->store, chunk);
}

// The timer runs for the oldest only; later ones are looked at when it fires.
static void hold(struct source *source, const char *bytes, size_t size) {
  if (!size) return;
  struct logs *logs = source->log->logs;
  bytes_add(&source->held, bytes, size);
  if (!list_empty(&source->tail)) return;
  source->held_us = clock_mono_us();
  list_append(&logs->tails, &source->tail);
  if (!uv_is_active((uv_handle_t *)&logs->tail_timer)) {
    uv_update_time(&logs->loop->uv);
    uv_timer_start(&logs->tail_timer, source_on_tail_timer, TAIL_US / 1000, 0);
  }
}

static void let_go(struct source *source) {
  source->held.size = 0;
  if (source->held.capacity > 4096) bytes_finish(&source->held);
  list_remove(&source->tail);
  struct logs *logs = source->log->logs;
  if (list_empty(&logs->tails)) uv_timer_stop(&logs->tail_timer);
}

static void on_looked(uv_timer_t *timer) {
  struct logs *logs = timer->data;
  uint64_t now = clock_mono_us();
  while (!list_empty(&logs->tails)) {
    struct source *oldest = list_entry(logs->tails.next, struct source, tail);
    if (oldest->held_us + TAIL_US > logs->tails_due_us) {
      uint64_t age = now - oldest->held_us;
      uint64_t left_ms = age < TAIL_US ? (TAIL_US - age) / 1000 : 0;
      uv_timer_start(timer, source_on_tail_timer, left_ms + 1, 0);
      return;
    }
    source_flush(oldest);
  }
}

// A loop that comes late, for it was busy or the machine is, runs its timers before it reads: the
// end of a held line may be waiting in the pipe.
void source_on_tail_timer(uv_timer_t *timer) {
  struct logs *logs = timer->data;
  logs->tails_due_us = clock_mono_us() + 1000;
  uv_timer_start(timer, on_looked, 1, 0);
}

void source_flush(struct source *source) {
  if (!source->held.size) return;
  struct chunk *chunk = chunk_copy(source->held.data, source->held.size);
  let_go(source);
  hand_on(source, chunk);
}

void source_prepend(struct source *source, struct chunk *chunk) {
  if (!source->held.size) return;
  chunk->start -= (uint32_t)source->held.size;
  chunk->size += (uint32_t)source->held.size;
  memcpy(chunk_bytes(chunk), source->held.data, source->held.size);
}

bool source_commit(struct source *source, struct chunk *chunk) {
  char *bytes = chunk_bytes(chunk);
  size_t fresh = source->held.size; // up to here there is no newline
  char *newline = memrchr(bytes + fresh, '\n', chunk->size - fresh);
  size_t whole = newline ? (size_t)(newline - bytes) + 1 : 0;
  if (chunk->size - whole >= INDEX_LINE_MAX) whole = chunk->size;
  if (!whole) {
    hold(source, bytes + fresh, chunk->size - fresh);
    return true;
  }
  if (source->held.size) let_go(source);
  hold(source, bytes + whole, chunk->size - whole);
  chunk->size = (uint32_t)whole;
  bool keep = whole < WORTH && chunk->pooled;
  hand_on(source, keep ? chunk_copy(bytes, whole) : chunk);
  return keep;
}

void source_feed(struct source *source, const char *bytes, size_t size_bytes) {
  struct chunk_pool *pool = writer_pool(source->log->logs->writer);
  while (size_bytes) {
    size_t part = size_bytes < CHUNK_READ ? size_bytes : CHUNK_READ;
    struct chunk *chunk = chunk_take(pool);
    memcpy(chunk_bytes(chunk), bytes, part);
    chunk->size = (uint32_t)part;
    source_prepend(source, chunk);
    if (source_commit(source, chunk)) chunk_release(pool, chunk);
    bytes += part;
    size_bytes -= part;
  }
}
