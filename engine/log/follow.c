#include "log/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/rotate.h"

#define TRIES    100u
#define PATIENCE 10u
#define PAUSE_US 500u

static void take(struct follow *follow, struct reader *reader, uint64_t next) {
  if (follow->open) reader_close(&follow->reader);
  follow->reader = *reader;
  follow->open = true;
  follow->next = next;
  follow->at = follow->count = 0;
  if (reader->headless) reader_verify(&follow->reader); // a file without an index: its bytes alone
}

// The oldest is the first to be held: what is held is what the writer takes for being read, and
// from then on it deletes what is older.
static int open_oldest(struct follow *follow) {
  struct reader reader;
  unsigned rotation = rotate_oldest(follow->stem);
  int result = reader_open_settled(&reader, follow->stem, rotation);
  for (unsigned tries = 0; result == -ENOENT && rotation && tries < TRIES; tries++) {
    rotation = rotate_oldest(follow->stem);
    result = reader_open_settled(&reader, follow->stem, rotation);
  }
  while (result == 0) { // names may have moved up meanwhile
    take(follow, &reader, 0);
    result = reader_open_settled(&reader, follow->stem, ++rotation);
    if (result == 0 && !reader.headless && !follow->reader.headless &&
        reader.header.segment >= follow->reader.header.segment) {
      reader_close(&reader); // the same one, under its next name
      result = reader_open_settled(&reader, follow->stem, ++rotation);
    }
  }
  if (result == -EAGAIN && follow->open) { // an older one is there, and moving: once more, later
    reader_close(&follow->reader);
    follow->open = false;
  }
  return follow->open || result == -EAGAIN ? 0 : result;
}

int follow_open(struct follow *follow, const char *dir, const char *name, bool from_end) {
  *follow = (struct follow){.reader = {.log_fd = -1, .index_fd = -1}};
  size_t size = strlen(dir) + strlen(name) + 2;
  follow->stem = mem_new(size);
  snprintf(follow->stem, size, "%s/%s", dir, name);
  int result;
  if (from_end) {
    struct reader reader;
    result = reader_open_settled(&reader, follow->stem, 0);
    if (result == 0) take(follow, &reader, reader.records);
    if (result == 0) follow->next = follow->reader.records; // those made out of its bytes, too
  } else {
    result = open_oldest(follow);
  }
  if (result == -ENOENT) result = 0;
  if (result != 0) follow_close(follow);
  return result;
}

void follow_close(struct follow *follow) {
  if (follow->open) reader_close(&follow->reader);
  free(follow->stem);
  *follow = (struct follow){.reader = {.log_fd = -1, .index_fd = -1}};
}

static bool look_ahead(struct follow *follow) {
  struct reader *reader = &follow->reader;
  if (follow->next >= reader->records) reader_refresh(reader);
  ssize_t count = reader_records(reader, follow->next, follow->ahead, FOLLOW_AHEAD);
  if (count <= 0) return false;
  follow->next += (uint64_t)count;
  follow->at = 0;
  follow->count = (unsigned)count;
  return true;
}

// The segment with the next higher number; when that one is gone, the one behind it.
static bool next_segment(struct follow *follow) {
  uint64_t wanted = follow->reader.header.segment + 1;
  unsigned missed = 0;
  for (unsigned tries = 0; tries < TRIES; tries++) {
    struct reader reader;
    if (reader_open_settled(&reader, follow->stem, 0) != 0) return false;
    uint64_t newest = reader.header.segment;
    if (!reader.headless && newest == wanted) {
      take(follow, &reader, 0);
      return true;
    }
    reader_close(&reader);
    if (reader.headless || newest < wanted) return false;
    int result = reader_open_settled(&reader, follow->stem, (unsigned)(newest - wanted));
    if (result == 0 && !reader.headless && reader.header.segment == wanted) {
      take(follow, &reader, 0);
      return true;
    }
    if (result == 0) {
      reader_close(&reader); // names have moved on
    } else if (++missed <= PATIENCE) {
      usleep(PAUSE_US); // while names move there is one free place among them
    } else {
      wanted++; // removed from outside
    }
  }
  return false;
}

const struct index_record *follow_peek(struct follow *follow) {
  if (!follow->open && (open_oldest(follow) != 0 || !follow->open)) return NULL;
  for (;;) {
    while (follow->at < follow->count) {
      struct index_record *record = &follow->ahead[follow->at];
      if (index_record_valid(record)) return record;
      follow->at++; // damaged from outside
    }
    if (look_ahead(follow)) continue;
    if (follow->reader.rebuilt || !reader_sealed(&follow->reader)) return NULL;
    // Records may have come between the look and the seal.
    if (!look_ahead(follow) && !next_segment(follow)) return NULL;
  }
}

uint64_t follow_start(struct follow *follow) {
  struct reader *reader = &follow->reader;
  struct index_record last;
  if (!follow->open) return 0;
  for (uint64_t at = follow->next; at > 0; at--)
    if (reader_records(reader, at - 1, &last, 1) == 1 && index_record_valid(&last))
      return last.offset + last.length;
  return reader->header.base_offset;
}

void follow_advance(struct follow *follow) {
  follow->at++;
}

uint64_t follow_known_end(const struct follow *follow) {
  const struct index_record *last = &follow->ahead[follow->count - 1];
  return index_record_valid(last) ? last->offset + last->length : 0;
}
