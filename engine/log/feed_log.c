#include "log/feed_log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/rotate.h"

// Pulls in vain before a file that is missing is taken for removed from outside.
#define PATIENCE 50u
#define TRIES    4u

void feed_log_release(struct feed_log *log) {
  if (log->open) reader_close(&log->reader);
  log->open = false;
}

static void go_to_segment(struct feed_log *log, uint64_t segment) {
  log->place = (struct feed_place){.segment = segment, .offset = log->place.offset + log->place.at};
  log->ahead_at = log->ahead_count = 0;
}

void feed_log_pause(struct feed_log *log) {
  feed_log_release(log);
  if (!log->waits) return;
  log->waits = false;
  if (++log->patience <= PATIENCE) return;
  log->patience = 0;
  go_to_segment(log, log->place.segment + 1);
}

void feed_log_finish(struct feed_log *log) {
  feed_log_release(log);
  fragments_finish(&log->fragments);
  free(log->marks);
  free(log->stem);
  free(log->head);
  free(log->tail);
}

void feed_log_go(struct feed_log *log, const struct feed_place *place) {
  if (log->place.segment != place->segment) feed_log_release(log);
  log->place = *place;
  log->ahead_at = log->ahead_count = 0;
}

static void enter(struct feed_log *log, const struct reader *reader) {
  const struct index_header *header = &reader->header;
  struct feed_place *place = &log->place;
  bool begun = place->segment != 0;
  if (place->segment != header->segment) go_to_segment(log, header->segment);
  if (place->record == 0 && place->at == 0) {
    if (begun && header->base_offset > place->offset)
      log->missed += header->base_offset - place->offset;
    place->offset = header->base_offset;
  }
  log->reader = *reader;
  log->open = true;
  log->patience = 0;
  log->waits = false;
}

// A file without a header has no place in the row.
static int look(struct reader *reader, const char *stem, unsigned rotation) {
  int result = reader_look(reader, stem, rotation);
  uint64_t number = reader->header.segment;
  if (result != 0 || (!reader->headless && number && number < UINT64_MAX)) return result;
  reader_close(reader);
  return -EILSEQ;
}

static enum feed_look enter_oldest(struct feed_log *log) {
  for (unsigned tries = 0; tries < TRIES; tries++) {
    unsigned oldest = rotate_oldest(log->stem), rotation = oldest;
    struct reader reader;
    int result = look(&reader, log->stem, rotation);
    while (result == -EILSEQ && rotation > 0) result = look(&reader, log->stem, --rotation);
    if (result == -EAGAIN || (result == -ENOENT && oldest)) continue;
    if (result != 0) return FEED_NOTHING;
    if (rotate_oldest(log->stem) <= oldest) {
      enter(log, &reader);
      return FEED_THERE;
    }
    reader_close(&reader); // names have moved up meanwhile
  }
  return FEED_MOVING;
}

// The newest file, and the number that the one without a behind its name has or will have.
static int open_newest(struct feed_log *log, struct reader *reader, uint64_t *number) {
  for (unsigned rotation = 0; rotation < 2; rotation++) {
    int result = look(reader, log->stem, rotation);
    if (result == 0) *number = reader->header.segment + rotation;
    if (result != -ENOENT) return result;
  }
  return -ENOENT;
}

// The place is in an older file than the newest one.
static enum feed_look enter_older(struct feed_log *log, unsigned rotation) {
  struct reader reader;
  int result = look(&reader, log->stem, rotation);
  if (result == 0 && reader.header.segment == log->place.segment) {
    enter(log, &reader);
    return FEED_THERE;
  }
  if (result == 0) reader_close(&reader);
  if (result == -ENOENT && rotation > rotate_oldest(log->stem)) return enter_oldest(log);
  log->waits = true;
  return FEED_MOVING;
}

static enum feed_look enter_place(struct feed_log *log) {
  if (!log->place.segment) return enter_oldest(log);
  struct reader reader;
  uint64_t newest, wanted = log->place.segment;
  int result = open_newest(log, &reader, &newest);
  if (result != 0) return result == -EAGAIN ? FEED_MOVING : FEED_NOTHING;
  if (reader.header.segment == wanted) {
    enter(log, &reader);
    return FEED_THERE;
  }
  reader_close(&reader);
  return newest <= wanted ? FEED_NOTHING : enter_older(log, (unsigned)(newest - wanted));
}

static bool look_ahead(struct feed_log *log) {
  struct reader *reader = &log->reader;
  if (log->place.record >= reader->records) reader_refresh(reader);
  ssize_t count = reader_records(reader, log->place.record, log->ahead, FEED_AHEAD);
  log->ahead_at = 0;
  log->ahead_count = count > 0 ? (unsigned)count : 0;
  return count > 0;
}

static void next_segment(struct feed_log *log) {
  feed_log_release(log);
  go_to_segment(log, log->place.segment + 1);
}

enum feed_look feed_log_look(struct feed_log *log) {
  for (;;) {
    for (; log->ahead_at < log->ahead_count; log->ahead_at++, log->place.record++)
      if (index_record_valid(feed_log_record(log))) return FEED_THERE;
    if (!log->open) {
      enum feed_look found = enter_place(log);
      if (found != FEED_THERE) return found;
    }
    if (look_ahead(log)) continue;
    if (!reader_sealed(&log->reader)) return FEED_NOTHING;
    // Records may have come between the look and the seal.
    if (!look_ahead(log)) next_segment(log);
  }
}

enum feed_look feed_log_ready(struct feed_log *log) {
  enum feed_look found = log->open ? FEED_THERE : enter_place(log);
  return found == FEED_THERE ? feed_log_look(log) : found;
}

void feed_log_advance(struct feed_log *log) {
  const struct index_record *record = feed_log_record(log);
  log->place.offset = record->offset + record->length;
  log->place.record++;
  log->place.at = 0;
  log->ahead_at++;
}

enum feed_look feed_log_end(struct feed_log *log, struct feed_place *end) {
  struct reader reader;
  uint64_t newest;
  *end = (struct feed_place){0};
  int result = open_newest(log, &reader, &newest);
  if (result != 0) return result == -EAGAIN ? FEED_MOVING : FEED_NOTHING;
  struct index_record last;
  *end = (struct feed_place){.segment = reader.header.segment,
                             .record = reader.records,
                             .offset = reader.header.base_offset};
  for (uint64_t at = reader.records; at > 0; at--)
    if (reader_records(&reader, at - 1, &last, 1) == 1 && index_record_valid(&last)) {
      end->offset = last.offset + last.length;
      break;
    }
  reader_close(&reader);
  return FEED_THERE;
}
