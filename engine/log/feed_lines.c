#include "log/feed_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/format.h"

#define BLOCK_SIZE    (64u << 10)
#define FRAGMENTS_MAX 16u // more only come from damaged files

enum part { PART_WHOLE, PART_OPEN }; // ends here; goes on

static void encode(struct feed_sink *sink, const struct feed_log *log, const struct fragment *of,
                   const char *text, size_t size, enum part part) {
  struct bytes *out = sink->out;
  char fields[96];
  int made = snprintf(fields, sizeof fields,
                      "\"at\":%" PRIu64 ",\"stream\":\"%s\",\"epoch\":%u,\"text\":\"",
                      of->when.wall_us / 1000, format_stream_name(fragment_stream(of->key)),
                      fragment_epoch(of->key));
  bytes_add(out, log->head, log->head_size);
  bytes_add(out, fields, (size_t)made);
  format_json_text(out, text, size);
  bytes_add(out, "\"", 1);
  if (of->given) bytes_add(out, ",\"continues\":true", 17);
  if (part == PART_OPEN) bytes_add(out, ",\"partial\":true", 15);
  bytes_add(out, log->tail, log->tail_size);
}

// A line or a part of one. `counts`: it is one of the window's. What is searched for counts where
// it is found.
static void give(struct feed_sink *sink, struct feed_log *log, const struct fragment *of,
                 const char *text, size_t size, enum part part, bool counts) {
  struct needle *needle = sink->options->grep;
  if (needle && !needle_in_line(needle, text ? text : "", size)) return;
  if (needle) counts = true;
  if (log->phase == FEED_SEEK) {
    log->marked += counts;
    if (log->mark_count) log->marks[log->mark_count - 1].lines += counts;
  } else if (log->skip) {
    log->skip -= counts;
  } else {
    encode(sink, log, of, text, part == PART_WHOLE ? needle_line_size(text, size) : size, part);
  }
}

static void give_fragment(struct feed_sink *sink, struct feed_log *log, struct fragment *fragment,
                          enum part part) {
  give(sink, log, fragment, fragment->text.data, fragment->text.size, part, part == PART_WHOLE);
}

// Ended without a newline. What has been given up to there needs no more words.
static void end_fragment(struct feed_sink *sink, struct feed_log *log, struct fragment *fragment) {
  if (!fragment->given || fragment->text.size) give_fragment(sink, log, fragment, PART_WHOLE);
  fragments_drop(&log->fragments, fragment);
}

static void extend(struct feed_sink *sink, struct feed_log *log, struct fragment *fragment,
                   const char *text, size_t size) {
  if (fragment->text.size + size > INDEX_LINE_MAX && fragment->text.size) { // cut here
    give_fragment(sink, log, fragment, PART_OPEN);
    fragment->text.size = 0;
    fragment->given = true;
  }
  fragment_append(fragment, INDEX_LINE_MAX, text, size);
}

static void begin_fragment(struct feed_sink *sink, struct feed_log *log,
                           const struct fragment *like, const char *text, size_t size) {
  if (log->fragments.count >= FRAGMENTS_MAX) end_fragment(sink, log, &log->fragments.items[0]);
  fragment_append(fragments_add(&log->fragments, like->key, like->when), INDEX_LINE_MAX, text,
                  size);
}

// The end of a line that began earlier, or more of it: how many bytes that is.
static size_t take_continuation(struct feed_sink *sink, struct feed_log *log,
                                const struct fragment *like, const char *text, size_t size) {
  struct fragment *open = fragments_find(&log->fragments, like->key);
  if (!open) { // its beginning is before all that is looked at
    open = fragments_add(&log->fragments, like->key, like->when);
    open->given = true;
  }
  const char *newline = memchr(text, '\n', size);
  size_t length = newline ? (size_t)(newline - text) : size;
  extend(sink, log, open, text, length);
  if (!newline) return size;
  give_fragment(sink, log, open, PART_WHOLE);
  fragments_drop(&log->fragments, open);
  return length + 1;
}

static bool is_full(const struct feed_sink *sink) {
  return sink->out->size >= sink->size;
}

// Whole lines, as long as there is room: how many bytes that were.
static size_t take_lines(struct feed_sink *sink, struct feed_log *log, const struct fragment *like,
                         const char *text, size_t size) {
  struct needle *needle = sink->options->grep;
  size_t at = 0, length;
  const char *line;
  while (at < size && !is_full(sink)) {
    if (needle) {
      if (!needle_next_line(needle, text, size, &at, &line, &length)) return size;
    } else {
      const char *newline = memchr(text + at, '\n', size - at);
      line = text + at;
      length = (size_t)(newline - line);
      at += length + 1;
    }
    give(sink, log, like, line, length, PART_WHOLE, true);
  }
  return at < size ? at : size;
}

// `goes_on`: with the line that has not ended. Gives how many bytes were taken: all, unless there
// is no room for more.
static size_t take_block(struct feed_sink *sink, struct feed_log *log,
                         const struct index_record *record, bool goes_on, const char *text,
                         size_t size) {
  struct fragment like = {.key = fragment_key(record), .when = fragment_moment(record)};
  struct fragment *open = goes_on ? NULL : fragments_find(&log->fragments, like.key);
  if (open) end_fragment(sink, log, open);
  size_t at = goes_on ? take_continuation(sink, log, &like, text, size) : 0;
  const char *last = at < size ? memrchr(text + at, '\n', size - at) : NULL;
  size_t whole = last ? (size_t)(last - text) + 1 : at;
  at += take_lines(sink, log, &like, text + at, whole - at);
  if (at < whole) return at;
  if (whole < size) begin_fragment(sink, log, &like, text + whole, size - whole);
  return size;
}

// What is written in another form is read as a whole: such records are small.
static ssize_t read_block(struct feed_sink *sink, struct feed_log *log,
                          const struct index_record *record, const char **text) {
  enum log_format format = (enum log_format)log->reader.header.format;
  uint64_t skip = log->place.at, from = format == LOG_RAW ? skip : 0;
  size_t size = record->length - from;
  if (format == LOG_RAW && size > BLOCK_SIZE) size = BLOCK_SIZE;
  sink->block.size = 0;
  char *bytes = bytes_reserve(&sink->block, size);
  ssize_t got = reader_bytes(&log->reader, record->offset + from, bytes, size);
  *text = bytes;
  if (got <= 0 || format == LOG_RAW) return got;
  size_t made = format_decode(format, record->flags & INDEX_UNTERMINATED, bytes, (size_t)got);
  *text = bytes + skip;
  return made > skip ? (ssize_t)(made - skip) : 0;
}

void feed_lines_take(struct feed_sink *sink, struct feed_log *log) {
  const struct index_record *record = feed_log_record(log);
  if (!feed_lines_wants(sink->options, record)) {
    feed_log_advance(log);
    return;
  }
  const char *text;
  ssize_t size = read_block(sink, log, record, &text);
  if (size <= 0) { // cut from outside
    log->missed += record->length - log->place.at;
    feed_log_advance(log);
    return;
  }
  bool goes_on = log->place.at ? fragments_find(&log->fragments, fragment_key(record)) != NULL
                               : (record->flags & INDEX_CONTINUES) != 0;
  size_t taken = take_block(sink, log, record, goes_on, text, (size_t)size);
  log->place.at += taken;
  bool raw = log->reader.header.format == LOG_RAW;
  if (raw ? log->place.at >= record->length : taken == (size_t)size) feed_log_advance(log);
}

static void count(struct feed_log *log, uint64_t lines) {
  log->marked += lines;
  if (log->mark_count) log->marks[log->mark_count - 1].lines += lines;
}

void feed_lines_count(struct feed_log *log, const struct index_record *record) {
  uint64_t key = fragment_key(record);
  struct fragment *open = fragments_find(&log->fragments, key);
  bool ended = open && !(record->flags & INDEX_CONTINUES);
  count(log, record->lines + ended);
  if (open && (ended || record->lines)) {
    fragments_drop(&log->fragments, open);
    open = NULL;
  }
  if (!open && record->flags & INDEX_UNTERMINATED && log->fragments.count < FRAGMENTS_MAX)
    fragments_add(&log->fragments, key, fragment_moment(record));
}

void feed_lines_settle(struct feed_sink *sink, struct feed_log *log, bool for_good) {
  if (!for_good && sink->options->grep) return; // its end may still hold it
  for (size_t i = 0; i < log->fragments.count; i++) {
    struct fragment *fragment = &log->fragments.items[i];
    if (!fragment->text.size) continue;
    give(sink, log, fragment, fragment->text.data, fragment->text.size, PART_OPEN, true);
    fragment->text.size = 0;
    fragment->given = true;
  }
  if (for_good) fragments_finish(&log->fragments);
}

void feed_lines_missed(struct feed_sink *sink, struct feed_log *log) {
  if (!log->missed) return;
  log->skip = 0; // of what the window had before it
  feed_lines_settle(sink, log, true);
  char text[48];
  int made = snprintf(text, sizeof text, "\"missed\":%" PRIu64, log->missed);
  bytes_add(sink->out, log->head, log->head_size);
  bytes_add(sink->out, text, (size_t)made);
  bytes_add(sink->out, log->tail, log->tail_size);
  log->missed = 0;
}
