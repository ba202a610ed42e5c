// The pair of files a log is being written to. Appending is all or nothing: when the disk is full
// half way, both files are cut back to where they were. One thread at a time.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "log/index.h"

struct segment {
  const char *stem; // <dir>/<name>; the owner's
  uint32_t format;
  int log_fd, index_fd; // -1: not open
  uint64_t number;      // of the file that is or was open; 0 before the first
  uint64_t base_offset;
  uint64_t size_bytes; // of the .log, as far as the index tells of it
  uint64_t records;
};

void segment_init(struct segment *segment, const char *stem, uint32_t format);
void segment_finish(struct segment *segment); // closes

bool segment_exists(const struct segment *segment); // one of its files, under the newest name
// Opens what is there and goes on with it, or begins a file. What can't be gone on with (another
// format, a broken index) is moved away by rotation. -EBUSY: another writer has it.
int segment_open(struct segment *segment);
// Says in the index that nothing follows, and closes.
void segment_seal(struct segment *segment);
// Seals, shifts the names, deletes what is above `max_files`, begins the next file.
int segment_rotate(struct segment *segment, unsigned max_files);

// Fills in offsets and checks of the records. The sum of lengths is that of the vector, which is
// changed.
int segment_append(struct segment *segment, struct iovec *vector, int vectors,
                   struct index_record *records, int count);

// The names still lead to the open files, and nobody cut them.
bool segment_in_place(const struct segment *segment);

static inline uint64_t segment_end(const struct segment *segment) {
  return segment->base_offset + segment->size_bytes;
}
