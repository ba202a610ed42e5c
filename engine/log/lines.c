#include "log/lines.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "log/reader.h"
#include "log/window.h"

#define RECORDS     512u
#define BLOCK_BYTES (256u << 10)

struct walk {
  struct window window;
  struct bytes buffer;
  uint64_t end_offset;
  bool verify;
};

// How many of `count` records, from the last, make a block: not too many bytes, and where nothing
// is searched for, not many more lines than are asked for.
static size_t block_size(const struct walk *walk, const struct index_record *records,
                         size_t count) {
  const struct window *window = &walk->window;
  uint64_t end = records[count - 1].offset + records[count - 1].length;
  size_t lines = 0, missing = window->filter->count - window->lines->count;
  size_t at = count;
  while (at > 0) {
    if (at < count && end - records[at - 1].offset > BLOCK_BYTES) break;
    if (!window->filter->grep && lines > missing) break;
    at--;
    if (window_wants(window, &records[at])) lines += records[at].lines;
  }
  return count - at;
}

static int read_block(struct walk *walk, struct reader *reader, const struct index_record *records,
                      size_t count) {
  uint64_t base = records[0].offset;
  size_t size = (size_t)(records[count - 1].offset + records[count - 1].length - base);
  walk->buffer.size = 0;
  char *bytes = bytes_reserve(&walk->buffer, size);
  ssize_t got = reader_bytes(reader, base, bytes, size);
  if (got < 0) return (int)got;
  if ((size_t)got < size) return -EILSEQ; // cut from outside
  window_block(&walk->window, records, count, (enum log_format)reader->header.format, bytes, base);
  return 0;
}

static bool in_order(const struct reader *reader, const struct index_record *records,
                     size_t count) {
  uint64_t next = records[0].offset;
  if (next < reader->header.base_offset) return false;
  for (size_t i = 0; i < count; next = records[i].offset + records[i].length, i++)
    if (!index_record_valid(&records[i]) || records[i].offset != next ||
        records[i].offset > UINT64_MAX - records[i].length)
      return false;
  return true;
}

static int walk_records(struct walk *walk, struct reader *reader,
                        const struct index_record *records, size_t count) {
  while (count && records[count - 1].offset >= walk->end_offset) count--;
  while (count && !window_full(&walk->window)) {
    if (!window_wants(&walk->window, &records[count - 1])) {
      count--;
      continue;
    }
    size_t size = block_size(walk, records, count);
    count -= size;
    int result = read_block(walk, reader, records + count, size);
    if (result != 0) return result;
  }
  return 0;
}

static int walk_segment(struct walk *walk, struct reader *reader) {
  int result = walk->verify ? reader_verify(reader) : reader->headless ? -EILSEQ : 0;
  struct index_record records[RECORDS];
  for (uint64_t end = reader->records; end && result == 0 && !window_full(&walk->window);) {
    uint64_t first = end > RECORDS ? end - RECORDS : 0;
    ssize_t count = reader_records(reader, first, records, (size_t)(end - first));
    if (count < 0) return (int)count;
    if (count != (ssize_t)(end - first)) return -EILSEQ;
    if (!walk->verify && !in_order(reader, records, (size_t)count)) return -EILSEQ;
    result = walk_records(walk, reader, records, (size_t)count);
    end = first;
  }
  return result;
}

static void walk_recent(struct walk *walk, const struct chunk_list *recent) {
  size_t count = 0, size = 0;
  for (struct chunk *chunk = recent->first; chunk; chunk = chunk->next, count++)
    size += chunk->size;
  if (!count) return;
  struct index_record *records = mem_new(count * sizeof *records);
  walk->buffer.size = 0;
  bytes_reserve(&walk->buffer, size);
  size_t at = 0;
  for (struct chunk *chunk = recent->first; chunk; chunk = chunk->next) {
    records[at++] = (struct index_record){.offset = walk->buffer.size,
                                          .wall_us = chunk->wall_us,
                                          .length = chunk->size,
                                          .epoch = chunk->epoch,
                                          .stream = chunk->stream,
                                          .source = chunk->source,
                                          .flags = chunk->flags};
    bytes_add(&walk->buffer, chunk_bytes(chunk), chunk->size);
  }
  window_block(&walk->window, records, count, LOG_RAW, walk->buffer.data, 0);
  free(records);
}

// From the newest file to the oldest. Names may move on meanwhile: a segment that was seen already
// is passed over.
static int walk_files(struct walk *walk, const char *stem) {
  uint64_t last = UINT64_MAX;
  bool any = false;
  for (unsigned rotation = 0; !window_full(&walk->window);) {
    struct reader reader;
    int result = reader_open_settled(&reader, stem, rotation);
    if (result == -EACCES || result == -EIO) return result;
    if (result != 0 && rotation > 0) break;
    rotation++;
    if (result != 0) continue; // only the newest may be missing
    any = true;
    if (reader.headless || reader.header.segment < last) {
      if (!reader.headless) last = reader.header.segment;
      result = walk_segment(walk, &reader);
    }
    reader_close(&reader);
    if (result != 0) return result;
  }
  return any || window_full(&walk->window) ? 0 : -ENOENT;
}

static int read_lines(struct lines *lines, const char *stem, const struct line_filter *filter,
                      const struct chunk_list *recent, uint64_t end_offset, bool verify) {
  struct walk walk = {.end_offset = end_offset, .verify = verify};
  window_init(&walk.window, lines, filter);
  if (recent) walk_recent(&walk, recent);
  int result = walk_files(&walk, stem);
  if (result == -ENOENT && recent) result = 0; // removed from outside
  window_finish(&walk.window);
  bytes_finish(&walk.buffer);
  return result;
}

// An index of our own making is believed until it turns out to be wrong.
int lines_read(struct lines *lines, const char *stem, const struct line_filter *filter,
               const struct chunk_list *recent, uint64_t end_offset) {
  *lines = (struct lines){0};
  int result = read_lines(lines, stem, filter, recent, end_offset, recent == NULL);
  if (result == -EILSEQ && recent) {
    lines_finish(lines);
    result = read_lines(lines, stem, filter, recent, end_offset, true);
  }
  if (result != 0) lines_finish(lines);
  return result;
}
