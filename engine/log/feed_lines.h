// Records of a feed's log as lines: put together where they lie in parts, searched, counted while
// the window's beginning is looked for, and written as JSON. Private to log/feed*.c.
#pragma once
#include "log/feed_log.h"

struct feed_sink {
  const struct feed_options *options;
  struct bytes block; // read into
  struct bytes *out;
  size_t size; // of `out`, where it is enough
};

// Takes the record at the log's place, or so much of it as there is room for. The log is ready.
void feed_lines_take(struct feed_sink *sink, struct feed_log *log);
// Counts the lines of the record without reading their bytes.
void feed_lines_count(struct feed_log *log, const struct index_record *record);
// The log has come to its end for now: what has not ended is given as far as it is there.
void feed_lines_settle(struct feed_sink *sink, struct feed_log *log, bool for_good);
// Tells what was missed, if anything was.
void feed_lines_missed(struct feed_sink *sink, struct feed_log *log);

static inline bool feed_lines_wants(const struct feed_options *options,
                                    const struct index_record *record) {
  return (!options->stream || record->stream == options->stream) &&
         record->wall_us / 1000 >= options->since_ms;
}
