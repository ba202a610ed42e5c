// Feeds made-up files to the reader of logs: the index first, then the bytes. Checksums are put
// right where the input asks for it, so that what lies behind them is reached. Whatever the files
// hold, lines come out, or an error. Run: fuzz_log_index CORPUS_DIR
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/feed.h"
#include "log/index.h"
#include "log/lines.h"
#include "log/logs.h"
#include "log/reader.h"
#include "os/fs.h"

enum { SEAL_HEADER = 1, SEAL_RECORDS = 2, HAS_GREP = 4, TAME = 8, NO_INDEX = 16 };
enum { PREFIX = 4, INPUT_MAX = 64 << 10 };

static char dir[64], stem[96];
static volatile size_t touched; // every byte is read

static void remove_dir(void) {
  fs_remove(dir, true);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  snprintf(dir, sizeof dir, "%s/pactlua-fuzz-XXXXXX",
           access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
  if (!mkdtemp(dir)) abort();
  snprintf(stem, sizeof stem, "%s/x", dir);
  return atexit(remove_dir);
}

static void put(const char *suffix, const void *bytes, size_t size) {
  char *path = index_path(stem, suffix, 0);
  if (fs_write(path, bytes, size, 0600, FS_WRITE_REPLACE)) abort();
  free(path);
}

// Records whose places and lengths are near the bytes there are: else hardly any would fit.
static void tame(struct index_record *record, uint64_t *at, size_t size_bytes) {
  record->length = record->length % 64 + (record->flags & 128 ? 0 : 1);
  if (record->flags & 64)
    record->offset %= size_bytes + 1;
  else
    record->offset = *at;
  record->stream = record->stream % 4;
  record->epoch %= 3;
  *at = record->offset + record->length;
}

static void put_index(const uint8_t *data, size_t size, unsigned flags, size_t size_bytes) {
  struct index_header header;
  char *file = calloc(1, size + sizeof header);
  if (!file) abort();
  memcpy(file, data, size);
  if ((flags & SEAL_HEADER) && size) {
    index_header_init(&header, 1, 0, 1000, data[0] % 3);
    memmove(file + sizeof header, file, size);
    memcpy(file, &header, sizeof header);
    size += sizeof header;
  }
  uint64_t offset = 0;
  for (size_t at = sizeof header; at + sizeof(struct index_record) <= size;
       at += sizeof(struct index_record)) {
    struct index_record record;
    memcpy(&record, file + at, sizeof record);
    if (flags & TAME) tame(&record, &offset, size_bytes);
    if (flags & SEAL_RECORDS) index_record_seal(&record);
    memcpy(file + at, &record, sizeof record);
  }
  put("idx", file, size);
  free(file);
}

static void read_lines(unsigned flags, unsigned more) {
  struct lines lines = {0};
  struct needle needle;
  struct line_filter filter = {.count = 1 + more % 50, .epoch = more & 64 ? 1 : -1};
  struct needle_spec spec = {"a", 1, false};
  char why[64];
  if (more & 128) filter.stream = 1;
  if (flags & HAS_GREP) {
    if (needle_init(&needle, &spec, why, sizeof why)) abort();
    filter.grep = &needle;
  }
  int error = lines_read(&lines, stem, &filter, NULL, LINES_NO_END);
  if (!error && lines.count > filter.count) abort();
  for (size_t i = 0; !error && i < lines.count; i++) {
    const struct line *line = &lines.items[i];
    if (line->size_bytes > INDEX_LINE_MAX) abort();
    touched += index_count_newlines(line->text, line->size_bytes);
    if ((flags & HAS_GREP) && !memchr(line->text, 'a', line->size_bytes)) abort();
  }
  lines_finish(&lines);
  if (flags & HAS_GREP) needle_finish(&needle);
}

// What is said of lines must be lines, however long it takes: so many pulls are enough.
static void pull(unsigned flags, unsigned more) {
  struct feed_options options = {.lines = more & 64 ? FEED_ALL : more % 50,
                                 .stream = more & 128 ? 1 : 0};
  struct needle needle;
  struct needle_spec spec = {"a", 1, false};
  char why[64];
  if (flags & HAS_GREP) {
    if (needle_init(&needle, &spec, why, sizeof why)) abort();
    options.grep = &needle;
  }
  struct feed *feed = feed_create(&options);
  feed_add(feed, dir, "x", "{", "}\n", false);
  struct bytes out = {0};
  enum feed_state state = FEED_MORE;
  for (int i = 0; i < 20 && state == FEED_MORE; i++) {
    out.size = 0;
    state = feed_pull(feed, 1 + more * 100, &out);
    size_t count = index_count_newlines(out.data, out.size);
    if (out.size && (out.data[out.size - 1] != '\n' || out.data[0] != '{' || !count)) abort();
  }
  if (state == FEED_IDLE) abort(); // nothing is followed
  feed_end(feed, &out);
  bytes_finish(&out);
  feed_destroy(feed);
}

static void read_records(void) {
  struct reader reader;
  if (reader_open(&reader, stem, 0)) return;
  if (!reader_verify(&reader)) {
    struct index_record record;
    uint64_t end = reader.header.base_offset;
    for (uint64_t i = 0; i < reader.records; i++) {
      if (reader_records(&reader, i, &record, 1) != 1) break;
      if (record.length > INDEX_LENGTH_MAX || record.offset < end) abort();
      end = record.offset + record.length;
    }
  }
  reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < PREFIX || size > INPUT_MAX) return 0;
  unsigned flags = data[0], more = data[1];
  size_t split = (size_t)(data[2] | data[3] << 8);
  data += PREFIX;
  size -= PREFIX;
  if (split > size) split = size;
  put("log", data + split, size - split);
  char *index = index_path(stem, "idx", 0);
  if (flags & NO_INDEX || !split)
    unlink(index);
  else
    put_index(data, split, flags, size - split);
  free(index);
  read_lines(flags, more);
  pull(flags, more);
  read_records();
  return 0;
}
