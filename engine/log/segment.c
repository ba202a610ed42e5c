#include "log/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/clock.h"
#include "log/fileio.h"
#include "log/rotate.h"

static uint64_t record_at(uint64_t index) {
  return sizeof(struct index_header) + index * sizeof(struct index_record);
}

static void close_both(struct segment *segment) {
  if (segment->log_fd >= 0) close(segment->log_fd);
  if (segment->index_fd >= 0) close(segment->index_fd);
  segment->log_fd = segment->index_fd = -1;
}

void segment_init(struct segment *segment, const char *stem, uint32_t format) {
  *segment = (struct segment){.stem = stem, .format = format, .log_fd = -1, .index_fd = -1};
}

void segment_finish(struct segment *segment) {
  close_both(segment);
}

static int open_file(const char *stem, const char *suffix, int flags) {
  char *path = index_path(stem, suffix, 0);
  int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0644);
  free(path);
  return fd < 0 ? -errno : fd;
}

static int lock_log(int log_fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(log_fd, F_OFD_SETLK, &lock) == 0) return 0;
  return errno == EAGAIN || errno == EACCES ? -EBUSY : 0; // without locks: go on
}

// Where the log ended before, from the newest rotated file; nothing when there is none.
static void find_predecessor(struct segment *segment) {
  if (segment->number) return;
  char *path = index_path(segment->stem, "idx", 1);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  free(path);
  if (fd < 0) return;
  struct index_header header;
  if (fileio_read_at(fd, &header, sizeof header, 0) == sizeof header &&
      index_header_valid(&header)) {
    segment->number = header.segment;
    segment->base_offset = header.base_offset;
    off_t size = lseek(fd, 0, SEEK_END);
    uint64_t count = ((uint64_t)size - sizeof header) / sizeof(struct index_record);
    struct index_record last;
    if (count && fileio_read_at(fd, &last, sizeof last, record_at(count - 1)) == sizeof last &&
        index_record_valid(&last))
      segment->size_bytes = last.offset + last.length - header.base_offset;
  }
  close(fd);
}

static int begin(struct segment *segment) {
  find_predecessor(segment);
  uint64_t number = segment->number + 1, base_offset = segment_end(segment);
  struct index_header header;
  index_header_init(&header, number, base_offset, clock_wall_us(), segment->format);
  int result = fileio_write_at(segment->index_fd, &header, sizeof header, 0);
  if (result != 0) {
    if (ftruncate(segment->index_fd, 0) != 0) result = -errno;
    return result;
  }
  segment->number = number;
  segment->base_offset = base_offset;
  segment->size_bytes = segment->records = 0;
  return 0;
}

// Records for bytes that were written when the index wasn't any more.
static int recover(struct segment *segment, uint64_t log_size) {
  uint8_t continues = 0;
  while (segment->size_bytes < log_size) {
    char bytes[4096];
    ssize_t size = fileio_read_at(segment->log_fd, bytes, sizeof bytes, segment->size_bytes);
    if (size <= 0) return size < 0 ? (int)size : 0;
    struct index_record record = {.offset = segment_end(segment),
                                  .wall_us = clock_wall_us(),
                                  .mono_us = clock_mono_us(),
                                  .length = (uint32_t)size,
                                  .lines = (uint32_t)index_count_newlines(bytes, (size_t)size),
                                  .stream = 1,
                                  .flags = INDEX_RECOVERED | continues};
    if (bytes[size - 1] != '\n') record.flags |= INDEX_UNTERMINATED;
    continues = record.flags & INDEX_UNTERMINATED ? INDEX_CONTINUES : 0;
    index_record_seal(&record);
    int result =
        fileio_write_at(segment->index_fd, &record, sizeof record, record_at(segment->records));
    if (result != 0) return result;
    segment->size_bytes += (uint64_t)size;
    segment->records++;
  }
  return 0;
}

// 1: can't be gone on with.
static int resume(struct segment *segment, uint64_t index_size, uint64_t log_size) {
  struct index_header header;
  if (fileio_read_at(segment->index_fd, &header, sizeof header, 0) != sizeof header ||
      !index_header_valid(&header) || header.format != segment->format || header.sealed)
    return 1;
  uint64_t count = (index_size - sizeof header) / sizeof(struct index_record);
  uint64_t end = header.base_offset;
  for (; count; count--) {
    struct index_record last;
    if (fileio_read_at(segment->index_fd, &last, sizeof last, record_at(count - 1)) != sizeof last)
      return 1;
    end = last.offset + last.length;
    if (index_record_valid(&last) && last.offset >= header.base_offset &&
        end - header.base_offset <= log_size)
      break;
    end = header.base_offset;
  }
  segment->number = header.segment;
  segment->base_offset = header.base_offset;
  segment->size_bytes = end - header.base_offset;
  segment->records = count;
  if (ftruncate(segment->index_fd, (off_t)record_at(count)) != 0) return -errno;
  return recover(segment, log_size);
}

// Who reads must never find bytes without their index: it is whole before the log has a name.
static int create_both(struct segment *segment) {
  struct stat index;
  segment->index_fd = open_file(segment->stem, "idx", O_CREAT);
  if (segment->index_fd < 0) return segment->index_fd;
  if (fstat(segment->index_fd, &index) != 0) return -errno;
  int result = index.st_size <= (off_t)sizeof(struct index_header) ? begin(segment) : 1;
  if (result != 0) return result;
  segment->log_fd = open_file(segment->stem, "log", O_CREAT | O_APPEND);
  return segment->log_fd < 0 ? segment->log_fd : lock_log(segment->log_fd);
}

static int go_on(struct segment *segment) {
  int result = lock_log(segment->log_fd);
  if (result != 0) return result;
  segment->index_fd = open_file(segment->stem, "idx", O_CREAT);
  if (segment->index_fd < 0) return segment->index_fd;
  struct stat log, index;
  if (fstat(segment->log_fd, &log) != 0 || fstat(segment->index_fd, &index) != 0) return -errno;
  if (log.st_size == 0 && index.st_size <= (off_t)sizeof(struct index_header))
    return begin(segment);
  if (segment->number || index.st_size < (off_t)sizeof(struct index_header))
    return 1; // somebody else's bytes where ours should begin
  return resume(segment, (uint64_t)index.st_size, (uint64_t)log.st_size);
}

static int open_here(struct segment *segment) {
  uint64_t number = segment->number;
  segment->log_fd = open_file(segment->stem, "log", O_APPEND);
  int result = segment->log_fd == -ENOENT ? create_both(segment)
               : segment->log_fd < 0      ? segment->log_fd
                                          : go_on(segment);
  if (result != 0) {
    close_both(segment);
    segment->number = number; // it may have been begun already
  }
  return result;
}

bool segment_exists(const struct segment *segment) {
  char *bytes = index_path(segment->stem, "log", 0), *index = index_path(segment->stem, "idx", 0);
  bool exists = access(bytes, F_OK) == 0 || access(index, F_OK) == 0;
  free(bytes);
  free(index);
  return exists;
}

int segment_open(struct segment *segment) {
  int result = open_here(segment);
  if (result != 1) return result;
  result = rotate_shift(segment->stem);
  if (result == 0) result = open_here(segment);
  return result == 1 ? -EEXIST : result;
}

void segment_seal(struct segment *segment) {
  uint32_t sealed = 1;
  if (segment->index_fd >= 0)
    fileio_write_at(segment->index_fd, &sealed, sizeof sealed,
                    offsetof(struct index_header, sealed));
  close_both(segment);
}

int segment_rotate(struct segment *segment, unsigned max_files) {
  int result = rotate_shift(segment->stem);
  if (result != 0) return result;
  segment_seal(segment);
  rotate_prune(segment->stem, max_files);
  return segment_open(segment);
}

int segment_append(struct segment *segment, struct iovec *vector, int vectors,
                   struct index_record *records, int count) {
  uint64_t size = segment->size_bytes;
  for (int i = 0; i < count; i++) {
    records[i].offset = segment->base_offset + size;
    size += records[i].length;
    index_record_seal(&records[i]);
  }
  int result = fileio_writev(segment->log_fd, vector, vectors);
  if (result == 0)
    result = fileio_write_at(segment->index_fd, records, (size_t)count * sizeof *records,
                             record_at(segment->records));
  if (result != 0) {
    // Cutting a file needs no room. Were it to fail, the next reader finds bytes without records.
    if (ftruncate(segment->log_fd, (off_t)segment->size_bytes) != 0 ||
        ftruncate(segment->index_fd, (off_t)record_at(segment->records)) != 0)
      close_both(segment);
    return result;
  }
  segment->size_bytes = size;
  segment->records += (uint64_t)count;
  return 0;
}

static bool leads_to(const char *stem, const char *suffix, int fd, uint64_t size_at_least) {
  char *path = index_path(stem, suffix, 0);
  struct stat named, opened;
  bool same = stat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino &&
              named.st_dev == opened.st_dev && (uint64_t)opened.st_size >= size_at_least;
  free(path);
  return same;
}

bool segment_in_place(const struct segment *segment) {
  return leads_to(segment->stem, "log", segment->log_fd, segment->size_bytes) &&
         leads_to(segment->stem, "idx", segment->index_fd, record_at(segment->records));
}
