#include "log/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/clock.h"
#include "log/fileio.h"
#include "log/format.h"
#include "log/rotate.h"

#define DEFAULT_MAX_SIZE (10u << 20)
#define BATCH            32
#define FORMAT_PIECE     (4u << 10)
#define CHECK_US         1000000u
#define ROOM_TO_GO_ON    (64u << 10)

// Pieces of chunks that go to the file with one call.
struct batch {
  struct iovec vector[BATCH];
  struct index_record records[BATCH];
  int count;
  uint64_t size_bytes;
  uint64_t raw_bytes, lines; // of the chunks, whatever the format makes of them
};

int store_init(struct store *store, const struct log_options *options, uint64_t id) {
  char directory[PATH_MAX];
  *store = (struct store){.id = id};
  segment_init(&store->segment, NULL, 0);
  if (!realpath(options->dir, directory)) return -errno;
  size_t size = strlen(directory) + strlen(options->name) + 2;
  store->stem = mem_new(size);
  snprintf(store->stem, size, "%s/%s", directory, options->name);
  store->path = index_path(store->stem, "log", 0);
  store_limit(store, options->max_size_bytes, options->max_files);
  store->format = options->format;
  segment_init(&store->segment, store->stem, options->format);
  list_init(&store->unopened);
  list_init(&store->news);
  if (!segment_exists(&store->segment)) return 0;
  int result = store_open(store);
  store->end_offset = store->checked_end;
  return result;
}

bool store_is_open(const struct store *store) {
  return store->segment.number != 0;
}

void store_limit(struct store *store, uint64_t max_size_bytes, unsigned max_files) {
  store->max_size_bytes = max_size_bytes ? max_size_bytes : DEFAULT_MAX_SIZE;
  store->max_files = max_files;
}

int store_open(struct store *store) {
  int result = segment_open(&store->segment);
  store->checked_end = segment_end(&store->segment);
  store->checked_us = clock_mono_us();
  return result;
}

// How many rotated files may stay: all, as long as a follower is awaited.
static unsigned files_to_keep(struct store *store) {
  uint64_t until_us = store->awaited_until_us;
  if (until_us && clock_mono_us() < until_us && !rotate_is_read(store->stem)) return UINT_MAX;
  store->awaited_until_us = 0;
  return store->max_files;
}

void store_finish(struct store *store) {
  // What a reader held at the last rotation may be free by now.
  if (store->segment.log_fd >= 0 && store->segment.number > 1)
    rotate_prune(store->stem, files_to_keep(store));
  segment_finish(&store->segment);
  bytes_finish(&store->formatted);
  free(store->stem);
  free(store->path);
}

// On a disk that has no room for all there may be some for the first of them.
static int flush_singly(struct store *store, const struct iovec *vector, struct batch *batch,
                        struct store_outcome *outcome) {
  int result = 0;
  for (int i = 0; i < batch->count && result == 0; i++) {
    struct iovec one = vector[i];
    result = segment_append(&store->segment, &one, 1, &batch->records[i], 1);
    if (result != 0) break;
    outcome->written_bytes += batch->records[i].length;
    outcome->lines += batch->records[i].lines;
  }
  return result;
}

static int batch_flush(struct store *store, struct batch *batch, struct store_outcome *outcome) {
  if (!batch->count) return 0;
  struct iovec vector[BATCH];
  memcpy(vector, batch->vector, (size_t)batch->count * sizeof *vector);
  int result =
      segment_append(&store->segment, batch->vector, batch->count, batch->records, batch->count);
  if (result == 0) {
    outcome->written_bytes += batch->raw_bytes;
    outcome->lines += batch->lines;
  } else if (batch->count > 1 && store->segment.log_fd >= 0) {
    result = flush_singly(store, vector, batch, outcome);
  }
  batch->count = 0;
  batch->size_bytes = batch->raw_bytes = batch->lines = 0;
  return result;
}

// A directory in which nothing may be renamed any more: the file grows instead.
static int rotate(struct store *store) {
  int result = segment_rotate(&store->segment, files_to_keep(store));
  if (result != 0 && store->segment.log_fd >= 0) {
    store->rotate_at_bytes = store->segment.size_bytes + store->max_size_bytes;
    return 0;
  }
  store->rotate_at_bytes = 0;
  return result;
}

static uint64_t most_of_a_file(const struct store *store) {
  return store->rotate_at_bytes ? store->rotate_at_bytes : store->max_size_bytes;
}

// Rotates when what comes would not fit; a file is never left empty.
static int make_room(struct store *store, struct batch *batch, size_t size,
                     struct store_outcome *outcome) {
  uint64_t used = store->segment.size_bytes + batch->size_bytes;
  if (batch->count < BATCH && (!used || used + size <= most_of_a_file(store))) return 0;
  int result = batch_flush(store, batch, outcome);
  used = store->segment.size_bytes;
  if (result == 0 && used && used + size > most_of_a_file(store)) result = rotate(store);
  return result;
}

static int add_piece(struct store *store, struct batch *batch, struct chunk *chunk, size_t at,
                     size_t size, struct store_outcome *outcome) {
  char *bytes = chunk_bytes(chunk) + at;
  uint8_t flags = chunk->flags & (INDEX_ORPHANED | INDEX_RECOVERED);
  if (at == 0) flags |= chunk->flags & INDEX_CONTINUES;
  if (at + size == chunk->size) flags |= chunk->flags & INDEX_UNTERMINATED;
  struct index_record record = {.wall_us = chunk->wall_us,
                                .mono_us = chunk->mono_us,
                                .epoch = chunk->epoch,
                                .stream = chunk->stream,
                                .source = chunk->source,
                                .flags = flags,
                                .lines = (uint32_t)index_count_newlines(bytes, size)};
  size_t raw_size = size;
  if (store->format != LOG_RAW) {
    store->formatted.size = 0;
    format_encode(store->format, chunk->wall_us, chunk->stream, bytes, size, &store->formatted);
    bytes = store->formatted.data;
    size = store->formatted.size;
  }
  int result = make_room(store, batch, size, outcome);
  if (result != 0) return result;
  record.length = (uint32_t)size;
  batch->vector[batch->count] = (struct iovec){bytes, size};
  batch->records[batch->count++] = record;
  batch->size_bytes += size;
  batch->raw_bytes += raw_size;
  batch->lines += record.lines;
  return store->format == LOG_RAW ? 0 : batch_flush(store, batch, outcome);
}

// A chunk that is larger than it should be is cut behind a newline, if it has one in time.
static size_t piece_size(const char *bytes, size_t size, size_t most) {
  if (size <= most) return size;
  const char *newline = memrchr(bytes, '\n', most);
  if (!newline) newline = memchr(bytes + most, '\n', size - most);
  return newline ? (size_t)(newline - bytes) + 1 : size;
}

static int write_chunk(struct store *store, struct batch *batch, struct chunk *chunk,
                       struct store_outcome *outcome) {
  size_t most = store->format == LOG_RAW ? store->max_size_bytes : FORMAT_PIECE;
  int result = 0;
  for (size_t at = 0; at < chunk->size && result == 0;) {
    size_t size = piece_size(chunk_bytes(chunk) + at, chunk->size - at, most);
    result = add_piece(store, batch, chunk, at, size, outcome);
    at += size;
  }
  return result;
}

static int note(struct store *store, const char *text) {
  struct chunk *chunk = chunk_copy(text, strlen(text));
  struct store_outcome ignored = {0};
  struct batch batch = {0};
  chunk->wall_us = clock_wall_us();
  chunk->mono_us = clock_mono_us();
  chunk->stream = LOG_OURS;
  int result = write_chunk(store, &batch, chunk, &ignored);
  if (result == 0) result = batch_flush(store, &batch, &ignored);
  free(chunk);
  return result;
}

// The files are gone from under their names, or cut: the open ones are told to be followed by
// others, and those are begun.
static int begin_anew(struct store *store) {
  char *slash = strrchr(store->stem, '/');
  *slash = '\0';
  int result = fileio_make_directory(slash == store->stem ? "/" : store->stem);
  *slash = '/';
  segment_seal(&store->segment);
  return result == 0 ? segment_open(&store->segment) : result;
}

static int check_in_place(struct store *store, struct store_outcome *outcome) {
  uint64_t now = clock_mono_us(), end = segment_end(&store->segment);
  if (now - store->checked_us < CHECK_US) return 0;
  if (!segment_in_place(&store->segment)) {
    outcome->removed_bytes += end - store->checked_end;
    int result = begin_anew(store);
    if (result != 0) return result;
    outcome->removed = true;
    char text[160];
    snprintf(text, sizeof text,
             "pactlua: this log was removed or replaced from outside and is begun anew; up to "
             "%" PRIu64 " bytes before this are gone\n",
             outcome->removed_bytes);
    result = note(store, text);
    if (result != 0) return result;
  }
  store->checked_us = now;
  store->checked_end = segment_end(&store->segment);
  return 0;
}

int store_write(struct store *store, const struct chunk_list *list, struct store_outcome *outcome) {
  *outcome = (struct store_outcome){0};
  int result = store_is_open(store) ? check_in_place(store, outcome) : store_open(store);
  struct batch batch;
  batch.count = 0;
  batch.size_bytes = batch.raw_bytes = batch.lines = 0;
  for (struct chunk *chunk = list->first; chunk && result == 0; chunk = chunk->next)
    result = write_chunk(store, &batch, chunk, outcome);
  return result == 0 ? batch_flush(store, &batch, outcome) : result;
}

// A last page that isn't full would take the note, and fail with the next bytes: there has to be
// room for some. It is set aside for them.
static int check_room(struct store *store) {
  if (fallocate(store->segment.log_fd, FALLOC_FL_KEEP_SIZE, (off_t)store->segment.size_bytes,
                ROOM_TO_GO_ON) == 0)
    return 0;
  return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR ? 0 : -errno;
}

int store_retry(struct store *store, uint64_t lost_bytes) {
  if (store->segment.log_fd < 0 || !segment_in_place(&store->segment)) {
    int result = begin_anew(store);
    if (result != 0) return result;
  }
  int room = check_room(store);
  if (room != 0 || !lost_bytes) return room;
  char text[160];
  snprintf(text, sizeof text,
           "pactlua: %" PRIu64 " bytes are lost here: they could not be written\n", lost_bytes);
  int result = note(store, text);
  store->checked_us = clock_mono_us();
  store->checked_end = segment_end(&store->segment);
  return result;
}
