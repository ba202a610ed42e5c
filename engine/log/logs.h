// The bytes that started programs write, kept byte for byte: `<name>.log` with an index beside it
// (log/index.h). The loop reads pipes, one thread of its own writes all files, and between them
// stands a bounded queue: when the disk is slower than a program, the program waits, not the loop.
//
// All functions are for the loop's thread. An id that names nothing (any more) gives -ENOENT or
// does nothing. A *source* is what writes one stream: a pipe, or logs_write for one stream number.
// Lines of a source reach the file whole; one that has not ended is written as it is after 250 ms.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

struct logs;
struct lines;       // log/lines.h
struct line_filter; // log/lines.h
struct needle_spec; // log/needle.h

enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2, LOG_OURS = 3 };
enum log_format { LOG_RAW, LOG_TEXT, LOG_JSON };

struct log_options {
  const char *dir, *name;  // <dir>/<name>.log; the directory must exist
  uint64_t max_size_bytes; // of one file; 0: 10 MiB
  unsigned max_files;      // rotated ones kept beside it; 0 is none
  enum log_format format;
};

struct log_stat {
  uint64_t size_bytes;   // written since the log's first byte, rotated files included
  uint64_t lines;        // newlines among them, since this process opened it
  uint64_t lost_bytes;   // that could not be written
  uint64_t queued_bytes; // read, not yet written
  const char *path;      // of the .log; valid until logs_close
};

// A line matched a watch. `id` is the watch's.
struct event_line {
  struct event event;
  uint64_t at_ms; // wall
  int stream;
  size_t size_bytes;
  char *text;    // without its newline; may hold NULs
  uint64_t lost; // lines before it that fitted, too, and were too many for one turn
};

// New bytes are in the file. `id` is the log's.
struct event_output {
  struct event event;
  uint64_t end_offset; // as log_stat.size_bytes
  uint64_t lines;
};

// Writing failed (`message`), or goes on again (NULL).
struct event_logfault {
  struct event event;
  char *message;
  uint64_t lost_bytes;
};

struct logs *logs_create(struct loop *loop);
// Writes what is queued, at most for a second, and closes all.
void logs_destroy(struct logs *logs);

// Opens for appending; continues a log of that name. A directory that isn't there is told here
// and now; files are made at the first bytes, or a while later, and a failure then is a fault.
int logs_open(struct logs *logs, const struct log_options *options, uint64_t *id);
// How many have files, two each, that are still to be made.
unsigned logs_unopened(struct logs *logs);
// Its pipes are read empty without waiting and closed; the files close when all is written.
void logs_close(struct logs *logs, uint64_t id);

// Other limits, as of log_options, from the next rotation on. 0 or -ENOENT.
int logs_limit(struct logs *logs, uint64_t id, uint64_t max_size_bytes, unsigned max_files);

// Bytes that come from now on carry this number; those of a pipe whose leader has ended keep
// theirs.
void logs_epoch(struct logs *logs, uint64_t id, uint32_t epoch);

// Reads `fd`, the read end of a program's pipe, until its end. Owns it from here, also when it
// fails. `owner` is any number by which logs_leader_ended finds it again: the process's id.
// `terminal`: it is our end of one.
int logs_attach(struct logs *logs, uint64_t id, uint64_t owner, int fd, int stream, bool terminal);
// The owner has ended, though others may still hold its pipes. What is readable is read at once, so
// that its last words are there before its exit is told; the disk gets a millisecond to take them,
// so that who follows the file sees them first, too. Then the pipes go on unwatched: for one second
// as before, later marked as an orphan's. Nobody waits for them. A terminal is hung up: who still
// has it hears SIGHUP and EIO, as when its window is closed.
void logs_leader_ended(struct logs *logs, uint64_t id, uint64_t owner);

// Bytes of our own. Blocks for up to 100 ms when 4 MiB are queued; what finds no room then is
// counted as lost: -EAGAIN.
int logs_write(struct logs *logs, uint64_t id, int stream, const char *bytes, size_t size_bytes);

// Watches for lines from now on: EV_LINE until cancelled, at most 4,096 in one turn. A line is
// looked at up to 64 KiB. On a bad pattern -EINVAL, with what is wrong in `why`.
int logs_match(struct logs *logs, uint64_t id, const struct needle_spec *spec, uint64_t *watch,
               char *why, size_t why_size);
// Ends a watch; false when the id is none.
bool logs_cancel(struct logs *logs, uint64_t watch);

enum log_notice { LOG_UNTOLD, LOG_TOLD, LOG_FOLLOWED };

// EV_OUTPUT at most every 25 ms while told. LOG_FOLLOWED: whoever is told is expected to follow the
// files, too, and for two seconds, or until a reader holds one, rotation deletes none.
void logs_notify(struct logs *logs, uint64_t id, enum log_notice notice);

// Who sees what a log's terminals show, as it is read, before it is in any file.
enum log_view_result {
  LOG_VIEW_GOES_ON,
  LOG_VIEW_HOLDS, // took these bytes, has no room for more until logs_view is called again
  LOG_VIEW_ENDS,
};
struct log_viewer {
  uint64_t id; // any number by which it is known
  enum log_view_result (*show)(void *context, uint64_t id, const char *bytes, size_t size);
  void *context;
};
enum { LOGS_RECENT = 16 * 1024 };

// Shows it to `viewer` from now on, also when the log's next program has the next terminal. Fills
// `recent` (LOGS_RECENT bytes) with what was shown last and gives its size; for who is a viewer
// already and had no room, with what it has missed, of which the first *lost bytes are only in the
// log. -ENOENT: no such log.
ssize_t logs_view(struct logs *logs, uint64_t id, const struct log_viewer *viewer, char *recent,
                  uint64_t *lost);
void logs_unview(struct logs *logs, uint64_t id, uint64_t viewer_id);

// Those with bytes in their files of which no EV_OUTPUT has told yet, and none will: for who can't
// wait. At most LOGS_NEWS at a time; gives their number.
enum { LOGS_NEWS = 256 };
size_t logs_news(struct logs *logs, uint64_t ids[LOGS_NEWS]);

// The last lines that pass the filter, with what is still queued; also while the disk is full.
int logs_lines(struct logs *logs, uint64_t id, const struct line_filter *filter,
               struct lines *lines);
int logs_stat(struct logs *logs, uint64_t id, struct log_stat *stat);

// Waits until all that is queued is in the files; false when that takes longer.
bool logs_flush(struct logs *logs, unsigned timeout_ms);
