// One segment of a log opened for reading. Holds flock(LOCK_SH) on its index, so that rotation
// doesn't delete it. Nothing in the files is trusted.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log/index.h"

struct reader {
  int log_fd, index_fd; // index_fd -1: there is no index
  struct index_header header;
  bool headless;                // the header is missing or damaged; its fields are guesses
  uint64_t records;             // whole ones there are
  uint64_t size_bytes;          // of the .log
  struct index_record *rebuilt; // stands for the file's records when those can't be relied on
};

// By its number among the files, 0 the newest. -ENOENT: none there; -EAGAIN: names are moving,
// again.
int reader_open(struct reader *reader, const char *stem, unsigned rotation);
// The same without holding it: it may be deleted meanwhile, and can be read to its end all the
// same.
int reader_look(struct reader *reader, const char *stem, unsigned rotation);
// The same, once names stand still: waits for that, for 50 ms at most.
int reader_open_settled(struct reader *reader, const char *stem, unsigned rotation);
void reader_close(struct reader *reader);

// Sees how many records and bytes there are by now.
void reader_refresh(struct reader *reader);
// The writer has said that no record will follow.
bool reader_sealed(const struct reader *reader);

// Goes through all records; where they don't fit the bytes, makes better ones. Unless the log is
// being written, bytes behind the last record get some, too. 0, or -errno.
int reader_verify(struct reader *reader);

// Up to `count` records from number `first`: how many, or -errno.
ssize_t reader_records(struct reader *reader, uint64_t first, struct index_record *records,
                       size_t count);
// The bytes at a log's offset: how many there are, or -errno.
ssize_t reader_bytes(struct reader *reader, uint64_t offset, char *bytes, size_t size);
