#include "log/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/fileio.h"

#define BLOCK    256u
#define YIELDS   20u
#define PAUSES   100u
#define PAUSE_US 500u

static const struct reader closed = {.log_fd = -1, .index_fd = -1};

static void close_files(struct reader *reader) {
  if (reader->log_fd >= 0) close(reader->log_fd);
  if (reader->index_fd >= 0) close(reader->index_fd);
  reader->log_fd = reader->index_fd = -1;
}

static int open_read(const char *stem, const char *suffix, unsigned rotation, struct stat *info) {
  char *path = index_path(stem, suffix, rotation);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int result = fd < 0 ? -errno : fd;
  free(path);
  if (fd < 0) return result;
  if (fstat(fd, info) != 0 || !S_ISREG(info->st_mode)) {
    close(fd);
    return -EINVAL;
  }
  return fd;
}

static bool still_named(const char *stem, const char *suffix, unsigned rotation,
                        const struct stat *info) {
  char *path = index_path(stem, suffix, rotation);
  struct stat now = {0};
  bool same = stat(path, &now) == 0 && now.st_ino == info->st_ino && now.st_dev == info->st_dev;
  free(path);
  return same;
}

static bool exists(const char *stem, const char *suffix, unsigned rotation) {
  char *path = index_path(stem, suffix, rotation);
  bool found = access(path, F_OK) == 0;
  free(path);
  return found;
}

// Bytes without an index: it has just been made, or has moved on to its next name, and they are
// about to follow.
static bool is_moving(const char *stem, unsigned rotation, const struct stat *log) {
  bool ahead = exists(stem, "idx", rotation + 1) && !exists(stem, "log", rotation + 1);
  return ahead || exists(stem, "idx", rotation) || !still_named(stem, "log", rotation, log);
}

static void read_header(struct reader *reader) {
  reader->headless = reader->index_fd < 0 ||
                     fileio_read_at(reader->index_fd, &reader->header, sizeof reader->header, 0) !=
                         sizeof reader->header ||
                     !index_header_valid(&reader->header);
  if (!reader->headless) return;
  struct index_record first;
  uint64_t base = 0;
  if (reader->index_fd >= 0 &&
      fileio_read_at(reader->index_fd, &first, sizeof first, sizeof reader->header) ==
          sizeof first &&
      index_record_valid(&first))
    base = first.offset;
  reader->header = (struct index_header){.base_offset = base};
}

// While names move up one of them is nobody's, with an older file behind it.
static bool is_free_place(const char *stem, unsigned rotation) {
  return rotation && exists(stem, "idx", rotation + 1);
}

// An index moves to its next name before its bytes do: what still has its name when the
// bytes are open belongs to them.
static int open_pair(struct reader *reader, const char *stem, unsigned rotation, bool hold) {
  *reader = closed;
  struct stat index = {0}, log = {0};
  int index_fd = open_read(stem, "idx", rotation, &index);
  // Refused only while it is being deleted. Where there are no locks there are no followers'
  // rights.
  bool deleting =
      hold && index_fd >= 0 && flock(index_fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  reader->index_fd = index_fd < 0 ? -1 : index_fd;
  int log_fd = open_read(stem, "log", rotation, &log);
  reader->log_fd = log_fd < 0 ? -1 : log_fd;
  int result = 0;
  if (deleting || (index_fd >= 0 && !still_named(stem, "idx", rotation, &index)) ||
      (index_fd == -ENOENT && log_fd >= 0 && is_moving(stem, rotation, &log)))
    result = -EAGAIN;
  else if (log_fd < 0)
    result =
        log_fd == -ENOENT && (index_fd >= 0 || is_free_place(stem, rotation)) ? -EAGAIN : log_fd;
  if (result != 0) {
    close_files(reader);
    return result;
  }
  read_header(reader);
  reader_refresh(reader);
  return 0;
}

int reader_open(struct reader *reader, const char *stem, unsigned rotation) {
  return open_pair(reader, stem, rotation, true);
}

int reader_look(struct reader *reader, const char *stem, unsigned rotation) {
  return open_pair(reader, stem, rotation, false);
}

// Renaming takes microseconds, unless its thread waits for a processor.
int reader_open_settled(struct reader *reader, const char *stem, unsigned rotation) {
  for (unsigned tries = 0;; tries++) {
    int result = reader_open(reader, stem, rotation);
    if (result != -EAGAIN || tries >= YIELDS + PAUSES) return result;
    if (tries < YIELDS)
      sched_yield();
    else
      usleep(PAUSE_US);
  }
}

void reader_close(struct reader *reader) {
  close_files(reader);
  free(reader->rebuilt);
  *reader = closed;
}

static uint64_t file_size(int fd) {
  struct stat info;
  return fd >= 0 && fstat(fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

// The index first: its records tell of bytes that are there already.
void reader_refresh(struct reader *reader) {
  if (reader->rebuilt) return;
  uint64_t size = file_size(reader->index_fd);
  if (size > sizeof(struct index_header))
    reader->records = (size - sizeof(struct index_header)) / sizeof(struct index_record);
  else
    reader->records = 0;
  reader->size_bytes = file_size(reader->log_fd);
}

bool reader_sealed(const struct reader *reader) {
  uint32_t sealed = 0;
  return fileio_read_at(reader->index_fd, &sealed, sizeof sealed,
                        offsetof(struct index_header, sealed)) == sizeof sealed &&
         sealed == 1;
}

ssize_t reader_records(struct reader *reader, uint64_t first, struct index_record *records,
                       size_t count) {
  if (first >= reader->records) return 0;
  if (count > reader->records - first) count = (size_t)(reader->records - first);
  if (reader->rebuilt) {
    memcpy(records, reader->rebuilt + first, count * sizeof *records);
    return (ssize_t)count;
  }
  ssize_t size = fileio_read_at(reader->index_fd, records, count * sizeof *records,
                                sizeof(struct index_header) + first * sizeof *records);
  return size < 0 ? size : size / (ssize_t)sizeof *records;
}

ssize_t reader_bytes(struct reader *reader, uint64_t offset, char *bytes, size_t size) {
  if (offset < reader->header.base_offset) return 0;
  return fileio_read_at(reader->log_fd, bytes, size, offset - reader->header.base_offset);
}

static bool being_written(const struct reader *reader) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  return fcntl(reader->log_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

struct rebuild {
  struct index_record *records;
  size_t count, capacity;
  uint64_t next; // offset of the first byte without a record
  uint64_t wall_us, mono_us;
  bool open; // the last byte before `next` is no newline
};

static void keep(struct rebuild *rebuild, const struct index_record *record) {
  if (rebuild->count == rebuild->capacity) {
    rebuild->capacity = rebuild->capacity ? rebuild->capacity * 2 : 64;
    rebuild->records = mem_resize(rebuild->records, rebuild->capacity * sizeof *rebuild->records);
  }
  rebuild->records[rebuild->count++] = *record;
  rebuild->next = record->offset + record->length;
  rebuild->wall_us = record->wall_us;
  rebuild->mono_us = record->mono_us;
  rebuild->open = record->flags & INDEX_UNTERMINATED;
}

// Records for bytes that have none, up to `end`: cut behind newlines where there are any.
static int fill(struct rebuild *rebuild, struct reader *reader, uint64_t end) {
  char *bytes = malloc(INDEX_LINE_MAX);
  if (!bytes) return -ENOMEM;
  int result = 0;
  rebuild->open = false;
  while (rebuild->next < end) {
    size_t most = end - rebuild->next < INDEX_LINE_MAX ? end - rebuild->next : INDEX_LINE_MAX;
    ssize_t size = reader_bytes(reader, rebuild->next, bytes, most);
    if (size <= 0) {
      result = (int)size;
      break;
    }
    char *newline = memrchr(bytes, '\n', (size_t)size);
    if (newline) size = newline - bytes + 1;
    struct index_record record = {.offset = rebuild->next,
                                  .wall_us = rebuild->wall_us,
                                  .mono_us = rebuild->mono_us,
                                  .length = (uint32_t)size,
                                  .lines = (uint32_t)index_count_newlines(bytes, (size_t)size),
                                  .stream = 1,
                                  .flags = INDEX_RECOVERED};
    if (rebuild->open) record.flags |= INDEX_CONTINUES;
    if (!newline) record.flags |= INDEX_UNTERMINATED;
    index_record_seal(&record);
    keep(rebuild, &record);
  }
  free(bytes);
  return result;
}

static uint64_t modified_us(const struct reader *reader) {
  struct stat info;
  return fstat(reader->log_fd, &info) == 0 ? (uint64_t)info.st_mtime * 1000000 : 0;
}

// Sums of what a file says may come round: an offset is compared before anything is added to it.
static bool fits(const struct reader *reader, const struct index_record *record, uint64_t next) {
  if (!index_record_valid(record) || record->offset < next) return false;
  uint64_t at = record->offset - reader->header.base_offset;
  return at <= reader->size_bytes && record->length <= reader->size_bytes - at;
}

static int rebuild_all(struct reader *reader, uint64_t end) {
  struct rebuild rebuild = {.next = reader->header.base_offset, .wall_us = modified_us(reader)};
  struct index_record block[BLOCK];
  int result = 0;
  for (uint64_t at = 0; at < reader->records && result == 0;) {
    ssize_t count = reader_records(reader, at, block, BLOCK);
    if (count <= 0) break;
    for (ssize_t i = 0; i < count && result == 0; i++) {
      if (!fits(reader, &block[i], rebuild.next)) continue;
      result = fill(&rebuild, reader, block[i].offset);
      if (result == 0) keep(&rebuild, &block[i]);
    }
    at += (uint64_t)count;
  }
  if (result == 0) result = fill(&rebuild, reader, end);
  if (result != 0) {
    free(rebuild.records);
    return result;
  }
  reader->rebuilt = rebuild.records ? rebuild.records : mem_new(sizeof *rebuild.records);
  reader->records = rebuild.count;
  return 0;
}

int reader_verify(struct reader *reader) {
  struct index_record block[BLOCK];
  uint64_t next = reader->header.base_offset;
  bool sound = !reader->headless;
  for (uint64_t at = 0; at < reader->records && sound;) {
    ssize_t count = reader_records(reader, at, block, BLOCK);
    if (count <= 0) break;
    for (ssize_t i = 0; i < count && sound; i++) {
      sound = fits(reader, &block[i], next) && block[i].offset == next;
      next = block[i].offset + block[i].length;
    }
    at += (uint64_t)count;
  }
  uint64_t end = reader->header.base_offset + reader->size_bytes;
  if (sound && next == end) return 0;
  if (sound && being_written(reader)) return 0; // their records are on the way
  return rebuild_all(reader, end);
}
