// One log of a feed: a place in its row of files that stays true while those are renamed and
// deleted. Private to log/feed*.c.
#pragma once
#include "log/feed.h"
#include "log/fragments.h"
#include "log/reader.h"

enum { FEED_AHEAD = 16 };

enum feed_look { FEED_THERE, FEED_NOTHING, FEED_MOVING };

enum feed_phase {
  FEED_BEGIN,
  FEED_SEEK, // looks for where the window begins
  FEED_READ,
  FEED_END,
};

struct feed_place {
  uint64_t segment; // 0: the oldest there is
  uint64_t record;  // of it, the next one
  uint64_t offset;  // of the log, where that is expected
  uint64_t at;      // bytes of it that have been taken
};

// Lines from a place on, up to the next mark.
struct feed_mark {
  struct feed_place place;
  uint64_t lines;
};

struct feed_log {
  char *stem, *head, *tail;
  size_t head_size, tail_size;
  struct feed_place place;
  uint64_t missed; // bytes, not told yet
  struct reader reader;
  bool open;
  struct index_record ahead[FEED_AHEAD];
  unsigned ahead_at, ahead_count;
  bool waits;        // for a file that must be there
  unsigned patience; // pulls in which it did
  // What it is read for:
  enum feed_phase phase;
  bool awake;
  uint64_t end;            // of the window
  struct feed_mark *marks; // the last ones
  size_t mark_count, mark_capacity;
  uint64_t marked;            // lines of all marks
  uint64_t skip;              // lines that are still before the window
  struct fragments fragments; // lines that have not ended
};

void feed_log_finish(struct feed_log *log);
// Gives its descriptors back.
void feed_log_release(struct feed_log *log);
// The same, at the end of a pull.
void feed_log_pause(struct feed_log *log);
// Is there a record at its place (or behind what is damaged)? Goes from file to file. Where files
// are gone it goes on with the oldest one left, and counts what it has missed.
enum feed_look feed_log_look(struct feed_log *log);
// The same, and its bytes can be read.
enum feed_look feed_log_ready(struct feed_log *log);
static inline const struct index_record *feed_log_record(const struct feed_log *log) {
  return &log->ahead[log->ahead_at];
}
void feed_log_advance(struct feed_log *log); // behind that record
void feed_log_go(struct feed_log *log, const struct feed_place *place);
// The place behind the last record there is now.
enum feed_look feed_log_end(struct feed_log *log, struct feed_place *end);
