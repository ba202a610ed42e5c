// Where a log's window begins: its lines are counted from the oldest on, and places are marked
// behind which there are still enough of them.
#include "log/feed_seek.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MARKS = 64 }; // so many share the wanted lines

static void drop_first(struct feed_log *log) {
  log->marked -= log->marks[0].lines;
  log->mark_count--;
  memmove(log->marks, log->marks + 1, log->mark_count * sizeof *log->marks);
}

static void mark(struct feed_log *log, uint64_t wanted) {
  struct feed_mark *last = log->marks && log->mark_count ? &log->marks[log->mark_count - 1] : NULL;
  if (last && last->lines <= wanted / MARKS) return;
  while (last && log->mark_count > 1 && log->marked - log->marks[0].lines >= wanted)
    drop_first(log);
  if (!log->marks || log->mark_count == log->mark_capacity) {
    log->mark_capacity = log->mark_capacity ? log->mark_capacity * 2 : 8;
    log->marks = mem_resize(log->marks, log->mark_capacity * sizeof *log->marks);
  }
  log->marks[log->mark_count++] = (struct feed_mark){.place = log->place};
}

static void found(struct feed_sink *sink, struct feed_log *log) {
  if (sink->options->grep)
    feed_lines_settle(sink, log, !sink->options->follow);
  else if (log->mark_count)
    log->marks[log->mark_count - 1].lines += log->fragments.count,
        log->marked += log->fragments.count;
  fragments_finish(&log->fragments);
  uint64_t wanted = sink->options->lines;
  while (log->mark_count > 1 && log->marked - log->marks[0].lines >= wanted) drop_first(log);
  if (log->mark_count) feed_log_go(log, &log->marks[0].place);
  log->skip = log->marked > wanted ? log->marked - wanted : 0;
  free(log->marks);
  log->marks = NULL;
  log->mark_count = log->mark_capacity = 0;
  log->phase = FEED_READ;
}

static enum feed_look begin(struct feed_sink *sink, struct feed_log *log) {
  struct feed_place end;
  enum feed_look found_end = feed_log_end(log, &end);
  if (found_end == FEED_MOVING) return found_end;
  log->end = end.offset;
  if (sink->options->lines == 0) feed_log_go(log, &end);
  bool all = sink->options->lines == 0 || sink->options->lines == FEED_ALL;
  log->phase = all || found_end == FEED_NOTHING ? FEED_READ : FEED_SEEK;
  return FEED_THERE;
}

enum feed_look feed_seek_step(struct feed_sink *sink, struct feed_log *log) {
  if (log->phase == FEED_BEGIN) return begin(sink, log);
  enum feed_look there = feed_log_ready(log);
  if (there == FEED_MOVING) return there;
  log->missed = 0; // before the window
  const struct index_record *record = feed_log_record(log);
  if (there == FEED_NOTHING || record->offset >= log->end) {
    found(sink, log);
    return FEED_THERE;
  }
  bool searches = sink->options->grep != NULL;
  // What is searched for may lie in a line that has begun before: that isn't cut in two.
  if (!log->place.at && (!searches || !log->fragments.count)) mark(log, sink->options->lines);
  if (searches) {
    feed_lines_take(sink, log);
  } else {
    if (feed_lines_wants(sink->options, record)) feed_lines_count(log, record);
    feed_log_advance(log);
  }
  return FEED_THERE;
}
