// One log on the loop's side: its pipes, what watches its lines, and the store that keeps its
// bytes. Shared by the files of this directory that make up log/logs.h.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/idmap.h"
#include "base/list.h"
#include "log/bytes.h"
#include "log/logs.h"
#include "log/needle.h"
#include "log/screen.h"
#include "log/writer.h"

struct logs {
  struct loop *loop;
  struct idmap logs, watches;
  struct writer *writer;
  struct chunk *spare;     // pipes are read into it; handed over when it is worth it
  struct list tails;       // sources that hold an unterminated line, oldest first
  struct list paused;      // pipes that wait for room in the queue
  uv_async_t news;         // from the writing thread
  uv_timer_t tail_timer;   // the oldest held line
  uint64_t tails_due_us;   // lines held until then are handed on after one more look at the pipes
  uv_timer_t output_timer; // runs while EV_OUTPUT has to wait
  uint64_t slow_until_us;  // the disk is, until then
  unsigned handles;        // not yet closed; the struct goes with the last
};

struct log {
  struct logs *logs;
  uint64_t id;
  struct store *store;
  struct list pipes, watches;
  struct source *ours[4]; // by stream, for logs_write
  struct screen screen;   // of its terminals
  uint32_t epoch;
  uint8_t next_source;
};

// What writes one stream.
struct source {
  struct log *log;
  int stream;
  uint8_t number; // struct index_record's `source`
  bool open;      // the last byte handed on was no newline
  bool ended;     // its leader has
  uint64_t ended_us;
  uint32_t epoch;      // kept when it has ended
  struct bytes held;   // an unterminated line that may still be completed
  uint64_t held_us;    // since when
  struct list tail;    // in logs.tails while something is held
  struct bytes pieces; // of an open line, for watches
};

void source_init(struct source *source, struct log *log, int stream);
void source_finish(struct source *source); // hands on what is held
// `chunk` begins with what was held. Hands on its whole lines, or all of it when that is too long
// to wait for a newline; holds the rest. The chunk is taken, or is still the caller's: true.
bool source_commit(struct source *source, struct chunk *chunk);
// Puts what is held in front of the chunk's bytes.
void source_prepend(struct source *source, struct chunk *chunk);
void source_feed(struct source *source, const char *bytes, size_t size_bytes);
void source_flush(struct source *source); // what is held goes on unterminated
void source_on_tail_timer(uv_timer_t *timer);

int pipe_attach(struct log *log, uint64_t owner, int fd, int stream, bool terminal);
void pipe_leader_ended(struct log *log, uint64_t owner);
void pipe_close_all(struct log *log);    // reads what is there, closes
void pipe_read_all(struct log *log);     // reads what is there
void pipe_resume_all(struct logs *logs); // those with room

// Bytes of a source in order; the last line may be unterminated.
void watch_feed(struct source *source, const char *bytes, size_t size_bytes);
void watch_forget_source(struct source *source);
void watch_end_all(struct log *log);
