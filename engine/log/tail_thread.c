#include "log/tail_thread.h"

#include <stdlib.h>

#include "base/mem.h"
#include "log/format.h"

#define BLOCK_SIZE (64u << 10)
#define READ_AHEAD (16u << 10)
#define TURN       64u // records of one log before the others are looked at again

void tail_free(struct tail *tail) {
  list_remove(&tail->link);
  follow_close(&tail->follow);
  free(tail->prefix[0]);
  free(tail->prefix[1]);
  free(tail);
}

static void activate(struct tails *tails, struct tail *tail) {
  tail->woken = false;
  if (tail->active) return;
  tail->active = true;
  if (tails->active_count == tails->active_capacity) {
    tails->active_capacity = tails->active_capacity ? tails->active_capacity * 2 : 16;
    tails->active = mem_resize(tails->active, tails->active_capacity * sizeof *tails->active);
  }
  tails->active[tails->active_count++] = tail;
}

static void deactivate(struct tails *tails, size_t at) {
  tails->active[at]->active = false;
  tails->active[at] = tails->active[--tails->active_count];
}

// Bytes of a chunk from `offset` on, at most `size`: a pointer into the block, or NULL. Small
// chunks that lie side by side are read at once.
static char *read_block(struct tails *tails, struct tail *tail, uint64_t offset, size_t size,
                        size_t *got) {
  struct bytes *block = &tails->block;
  bool there = tails->block_of == tail && offset >= tails->block_at &&
               offset + size <= tails->block_at + block->size;
  if (!there) {
    uint64_t known = follow_known_end(&tail->follow);
    size_t ahead = size < READ_AHEAD ? READ_AHEAD : size;
    if (offset + ahead > known) ahead = known > offset + size ? (size_t)(known - offset) : size;
    block->size = 0;
    ssize_t count = reader_bytes(&tail->follow.reader, offset, bytes_reserve(block, ahead), ahead);
    if (count <= 0) return NULL;
    block->size = (size_t)count;
    tails->block_of = tail;
    tails->block_at = offset;
  }
  size_t rest = block->size - (size_t)(offset - tails->block_at);
  *got = rest < size ? rest : size;
  return block->data + (offset - tails->block_at);
}

static void show(struct tails *tails, struct tail *tail, const struct index_record *record) {
  enum log_format format = (enum log_format)tail->follow.reader.header.format;
  uint64_t owner = tail->id << 16 | (uint64_t)record->stream << 8 | record->source;
  int which = record->stream == LOG_STDERR;
  bool goes_on = record->flags & INDEX_CONTINUES;
  size_t most = format == LOG_RAW ? BLOCK_SIZE : record->length;
  for (uint64_t at = 0; at < record->length;) {
    size_t size = record->length - at < most ? (size_t)(record->length - at) : most, got;
    char *bytes = read_block(tails, tail, record->offset + at, size, &got);
    if (!bytes) return; // cut from outside
    at += got;
    size_t shown = got;
    if (format != LOG_RAW) {
      shown = format_decode(format, record->flags & INDEX_UNTERMINATED, bytes, got);
      tails->block_of = NULL; // no more what is in the file
    }
    render_chunk(&tails->render, owner, goes_on, tail->prefix[which], tail->prefix_size[which],
                 bytes, shown);
    goes_on = true;
  }
}

// The active tail with the oldest record, and the time of the oldest among the others. Tails that
// have come to their end are active no more.
static struct tail *pick(struct tails *tails, uint64_t *others_us) {
  struct tail *oldest = NULL;
  uint64_t oldest_us = UINT64_MAX;
  *others_us = UINT64_MAX;
  for (size_t i = 0; i < tails->active_count;) {
    struct tail *tail = tails->active[i];
    const struct index_record *record = tails->out.error ? NULL : follow_peek(&tail->follow);
    if (!record) {
      deactivate(tails, i);
      continue;
    }
    if (!oldest || record->mono_us < oldest_us) {
      *others_us = oldest_us;
      oldest = tail;
      oldest_us = record->mono_us;
    } else if (record->mono_us < *others_us) {
      *others_us = record->mono_us;
    }
    i++;
  }
  return oldest;
}

static void show_some(struct tails *tails, struct tail *tail, uint64_t until_us) {
  const struct index_record *record;
  for (unsigned i = 0; i < TURN && (record = follow_peek(&tail->follow)); i++) {
    if (i > 0 && record->mono_us > until_us) return;
    show(tails, tail, record);
    follow_advance(&tail->follow);
  }
}

static void forget(struct tails *tails, struct tail *tail) {
  for (size_t i = 0; i < tails->active_count; i++)
    if (tails->active[i] == tail) {
      deactivate(tails, i);
      break;
    }
  if (tails->block_of == tail) tails->block_of = NULL;
  tail_free(tail);
}

// Called and left under the lock.
static void do_job(struct tails *tails) {
  struct tail_job *job = tails->first_job;
  tails->first_job = job->next;
  if (!tails->first_job) tails->last_job = NULL;
  job->next = NULL;
  if (job->kind == TAIL_CLOSE) {
    forget(tails, job->tail);
  } else {
    pthread_mutex_unlock(&tails->lock);
    if (job->kind == TAIL_SAY)
      render_text(&tails->render, job->text, job->size);
    else
      out_flush(&tails->out);
    pthread_mutex_lock(&tails->lock);
    tails->said_bytes -= job->size;
  }
  if (job->kind != TAIL_DRAIN) {
    free(job);
    return;
  }
  struct tail_job **end = &tails->answers;
  while (*end) end = &(*end)->next;
  *end = job;
  uv_async_send(&tails->news);
}

static void note_gone(struct tails *tails) {
  if (!tails->out.error || tails->gone) return;
  tails->gone = tails->tell_gone = true;
  uv_async_send(&tails->news);
}

static void wake_up(struct tails *tails) {
  if (tails->woken) list_each(it, &tails->all) {
      struct tail *tail = list_entry(it, struct tail, link);
      if (tail->woken) activate(tails, tail);
    }
  tails->woken = false;
  tails->render.escape = tails->escape;
}

// One step: some records, or a job, or a flush, or sleep. False: the end. Under the lock.
static bool step(struct tails *tails) {
  wake_up(tails);
  uint64_t job_us = tails->first_job ? tails->first_job->mono_us : UINT64_MAX;
  pthread_mutex_unlock(&tails->lock);
  uint64_t others_us;
  struct tail *tail = pick(tails, &others_us);
  bool first = tail && follow_peek(&tail->follow)->mono_us <= job_us;
  if (first)
    show_some(tails, tail, others_us < job_us ? others_us : job_us);
  else if (!tail && job_us == UINT64_MAX)
    out_flush(&tails->out);
  pthread_mutex_lock(&tails->lock);
  note_gone(tails);
  if (tails->out.stop) return false;
  if (first) return true;
  if (job_us != UINT64_MAX) {
    do_job(tails);
    return true;
  }
  while (!tails->woken && !tails->first_job && !tails->stopping)
    pthread_cond_wait(&tails->work, &tails->lock);
  return tails->woken || tails->first_job;
}

void *tail_thread_run(void *context) {
  struct tails *tails = context;
  pthread_mutex_lock(&tails->lock);
  while (step(tails)) {}
  tails->finished = true;
  pthread_cond_signal(&tails->over);
  pthread_mutex_unlock(&tails->lock);
  return NULL;
}
