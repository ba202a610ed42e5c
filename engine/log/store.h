// One log on the writing thread's side: chunks become bytes and records, files rotate, a full disk
// is waited out. The fields in the second half are shared and guarded by the writer's lock.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "log/bytes.h"
#include "log/chunk.h"
#include "log/logs.h"
#include "log/segment.h"

struct store {
  uint64_t id; // the log's, for events
  char *stem;
  char *path;                      // of the .log
  _Atomic uint64_t max_size_bytes; // these two may change at any time
  _Atomic unsigned max_files;
  enum log_format format;

  // The writing thread's own, once it has been opened.
  struct segment segment;
  struct bytes formatted;
  bool faulted;
  uint64_t retry_us;   // monotonic, while faulted
  uint64_t checked_us; // when the names were last seen to lead to the open files
  uint64_t checked_end;
  // Until then (monotonic) nothing is deleted, so that who is about to follow finds the beginning;
  // 0 when somebody has been seen to follow, or nobody is expected.
  _Atomic uint64_t awaited_until_us;
  uint64_t rotate_at_bytes; // instead of max_size_bytes after a rotation that could not be, else 0

  // Under the writer's lock.
  struct store *next_ready;
  struct list unopened; // in the writer's list until its files are to be there
  struct list news;     // in the writer's list while its file has bytes that nobody was told of
  bool ready, closing, notify;
  struct chunk_list pending, writing, dropped; // dropped: the last ones that found no disk
  size_t dropped_bytes;
  uint64_t end_offset, lines, lost_bytes, lost_told, queued_bytes;
};

// What came of writing a list of chunks.
struct store_outcome {
  uint64_t written_bytes; // of the list's bytes, from the front
  uint64_t lines;         // newlines written
  uint64_t removed_bytes; // at most so many went with files removed from outside
  bool removed;           // the files had been removed or replaced and were begun anew
};

// Goes on with files that are there already; else none is made yet. 0 or -errno.
int store_init(struct store *store, const struct log_options *options, uint64_t id);
// Makes the files, where store_write hasn't yet: 0 or -errno.
int store_open(struct store *store);
bool store_is_open(const struct store *store);
void store_finish(struct store *store);
// For any thread: they hold from the next rotation on. A size of 0 is the default.
void store_limit(struct store *store, uint64_t max_size_bytes, unsigned max_files);

// Writes the list, which stays as it is; 0 or -errno.
int store_write(struct store *store, const struct chunk_list *list, struct store_outcome *outcome);
// Tries whether it goes on, by writing how much was lost: 0 or -errno.
int store_retry(struct store *store, uint64_t lost_bytes);
