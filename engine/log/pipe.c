#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/index.h"
#include "log/log.h"

#define READS_A_TURN   8u          // then others have theirs
#define PIPE_SIZE      (64 << 10)  // the kernel's own
#define PIPE_BUSY_SIZE (256 << 10) // of one that proves busy
#define BUSY_READS     4u          // so many full reads in a row prove it
#define LAST_READS     64u         // of a terminal whose program has ended

struct pipe {
  uv_poll_t poll;
  int fd;
  bool terminal; // of which one read gives 4 KiB at most, and all ends with EIO
  uint64_t owner;
  struct source source;
  struct list link;   // in log.pipes
  struct list paused; // in logs.paused while it waits
  unsigned full_reads;
  bool enlarged;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void free_pipe(uv_handle_t *handle) {
  free(list_entry(handle, struct pipe, poll));
}

static void close_pipe(struct pipe *pipe) {
  source_finish(&pipe->source);
  list_remove(&pipe->link);
  list_remove(&pipe->paused);
  struct logs *logs = pipe->source.log->logs;
  if (list_empty(&logs->paused)) uv_unref((uv_handle_t *)&logs->news);
  uv_close((uv_handle_t *)&pipe->poll, free_pipe);
  close(pipe->fd);
}

// A larger pipe lets a fast program run while others have their turn. It counts against what
// the kernel grants a user, so only those get one that use it.
static void note_full_read(struct pipe *pipe, bool full) {
  pipe->full_reads = full ? pipe->full_reads + 1 : 0;
  if (pipe->enlarged || pipe->full_reads < BUSY_READS) return;
  pipe->enlarged = true;
  fcntl(pipe->fd, F_SETPIPE_SZ, PIPE_BUSY_SIZE);
}

enum read_result { READ_SOME, READ_ALL, READ_END };

static enum read_result read_once(struct pipe *pipe, size_t *count) {
  struct logs *logs = pipe->source.log->logs;
  if (!logs->spare) logs->spare = chunk_take(writer_pool(logs->writer));
  struct chunk *chunk = logs->spare;
  chunk->start = CHUNK_HEADROOM;
  chunk->size = 0;
  ssize_t size;
  do size = read(pipe->fd, chunk_bytes(chunk), CHUNK_READ);
  while (size < 0 && errno == EINTR);
  *count = size > 0 ? (size_t)size : 0;
  if (size < 0) return errno == EAGAIN ? READ_ALL : READ_END; // EIO: a terminal's other end is gone
  if (size == 0) return READ_END;
  note_full_read(pipe, size >= PIPE_SIZE);
  chunk->size = (uint32_t)size;
  if (pipe->terminal) screen_add(&pipe->source.log->screen, chunk_bytes(chunk), (size_t)size);
  source_prepend(&pipe->source, chunk);
  if (!source_commit(&pipe->source, chunk)) logs->spare = NULL;
  return size < PIPE_SIZE && !pipe->terminal ? READ_ALL : READ_SOME;
}

static void pause_pipe(struct pipe *pipe) {
  struct logs *logs = pipe->source.log->logs;
  uv_poll_stop(&pipe->poll);
  list_append(&logs->paused, &pipe->paused);
  uv_ref((uv_handle_t *)&logs->news); // what will resume it
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct pipe *pipe = list_entry(poll, struct pipe, poll);
  struct log *log = pipe->source.log;
  (void)events;
  enum read_result result = status < 0 ? READ_END : READ_SOME;
  for (unsigned i = 0; i < READS_A_TURN && result == READ_SOME; i++) {
    if (!writer_has_room(log->logs->writer, log->store)) {
      pause_pipe(pipe);
      return;
    }
    size_t count;
    result = read_once(pipe, &count);
  }
  if (result == READ_END) close_pipe(pipe);
}

static int start_pipe(struct pipe *pipe) {
  int result = uv_poll_start(&pipe->poll, UV_READABLE, on_readable);
  if (pipe->source.ended) uv_unref((uv_handle_t *)&pipe->poll);
  return result;
}

int pipe_attach(struct log *log, uint64_t owner, int fd, int stream, bool terminal) {
  struct pipe *pipe = mem_new(sizeof *pipe);
  int result = uv_poll_init(&log->logs->loop->uv, &pipe->poll, fd);
  if (result != 0) {
    free(pipe);
    close(fd);
    return result;
  }
  pipe->fd = fd;
  pipe->terminal = terminal;
  pipe->owner = owner;
  source_init(&pipe->source, log, stream);
  list_append(&log->pipes, &pipe->link);
  list_init(&pipe->paused);
  result = start_pipe(pipe);
  if (result != 0) close_pipe(pipe);
  return result;
}

// The kernel doesn't tell how much a terminal still has.
static bool drain_terminal(struct pipe *pipe) {
  enum read_result result = READ_SOME;
  for (unsigned i = 0; i < LAST_READS && result == READ_SOME; i++) {
    size_t count;
    result = read_once(pipe, &count);
  }
  return result != READ_END;
}

// No more than is in the pipe now: others may be writing to it all the time.
static bool drain(struct pipe *pipe) {
  if (pipe->terminal) return drain_terminal(pipe);
  int waiting = 0;
  if (ioctl(pipe->fd, FIONREAD, &waiting) != 0) return true;
  enum read_result result = READ_SOME;
  while (result != READ_END && waiting > 0) {
    size_t count;
    result = read_once(pipe, &count);
    if (!count) break;
    waiting -= (int)count;
  }
  return result != READ_END;
}

static void leader_ended(struct pipe *pipe) {
  struct source *source = &pipe->source;
  bool goes_on = drain(pipe) && !pipe->terminal;
  source_flush(source);
  if (!goes_on) {
    close_pipe(pipe);
    return;
  }
  source->ended = true;
  source->ended_us = clock_mono_us();
  source->epoch = source->log->epoch;
  uv_unref((uv_handle_t *)&pipe->poll);
}

void pipe_leader_ended(struct log *log, uint64_t owner) {
  list_each(it, &log->pipes) {
    struct pipe *pipe = list_entry(it, struct pipe, link);
    if (pipe->owner == owner && !pipe->source.ended) leader_ended(pipe);
  }
}

void pipe_close_all(struct log *log) {
  list_each(it, &log->pipes) {
    struct pipe *pipe = list_entry(it, struct pipe, link);
    drain(pipe);
    close_pipe(pipe);
  }
}

void pipe_read_all(struct log *log) {
  list_each(it, &log->pipes) {
    struct pipe *pipe = list_entry(it, struct pipe, link);
    bool goes_on = drain(pipe);
    source_flush(&pipe->source);
    if (!goes_on) close_pipe(pipe);
  }
}

void pipe_resume_all(struct logs *logs) {
  list_each(it, &logs->paused) {
    struct pipe *pipe = list_entry(it, struct pipe, paused);
    struct log *log = pipe->source.log;
    if (!writer_has_room(logs->writer, log->store)) continue;
    list_remove(&pipe->paused);
    if (start_pipe(pipe) != 0) close_pipe(pipe);
  }
  if (list_empty(&logs->paused)) uv_unref((uv_handle_t *)&logs->news);
}
