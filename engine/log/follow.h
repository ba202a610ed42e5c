// Follows a log by its files alone, record by record, from segment to segment. The segment it is
// in is held (log/reader.h), so that what follows isn't deleted before it has been read.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "log/reader.h"

enum { FOLLOW_AHEAD = 16 };

struct follow {
  char *stem;
  struct reader reader;
  bool open;     // there was a file yet
  uint64_t next; // number of the record behind those in `ahead`
  struct index_record ahead[FOLLOW_AHEAD];
  unsigned at, count; // of them
};

// Begins with the oldest byte there is, or behind the newest. A log that isn't there yet is begun
// with when it comes. 0, or -errno for what can't be read.
int follow_open(struct follow *follow, const char *dir, const char *name, bool from_end);
void follow_close(struct follow *follow);

// The next record, or NULL: nothing more now. Stays until follow_advance.
const struct index_record *follow_peek(struct follow *follow);
void follow_advance(struct follow *follow);
// The offset in the log of what it begins with; 0 as long as there is no log.
uint64_t follow_start(struct follow *follow);
// Up to where bytes of the log are known to be there for good.
uint64_t follow_known_end(const struct follow *follow);
