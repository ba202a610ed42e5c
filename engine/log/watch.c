#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/index.h"
#include "log/log.h"

// A turn's lines wait in memory until they are delivered.
enum { TURN_LINES = 4096 };

struct watch {
  uint64_t id;
  struct log *log;
  struct list link; // in log.watches
  struct needle needle;
  struct source *told; // whose open line has been told already
  uint64_t turn;       // of the loop, in which
  unsigned queued;     // so many were told
  uint64_t lost;
};

int logs_match(struct logs *logs, uint64_t id, const struct needle_spec *spec, uint64_t *watch_id,
               char *why, size_t why_size) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return -ENOENT;
  struct watch *watch = mem_new(sizeof *watch);
  int result = needle_init(&watch->needle, spec, why, why_size);
  if (result != 0) {
    free(watch);
    return result;
  }
  watch->id = *watch_id = loop_new_id(logs->loop);
  watch->log = log;
  list_append(&log->watches, &watch->link);
  idmap_set(&logs->watches, watch->id, watch);
  return 0;
}

static void end_watch(struct logs *logs, struct watch *watch) {
  list_remove(&watch->link);
  idmap_remove(&logs->watches, watch->id);
  needle_finish(&watch->needle);
  free(watch);
}

bool logs_cancel(struct logs *logs, uint64_t id) {
  struct watch *watch = idmap_get(&logs->watches, id);
  if (!watch) return false;
  end_watch(logs, watch);
  loop_forget(logs->loop, id);
  return true;
}

void watch_end_all(struct log *log) {
  list_each(it, &log->watches) end_watch(log->logs, list_entry(it, struct watch, link));
}

void watch_forget_source(struct source *source) {
  list_each(it, &source->log->watches) {
    struct watch *watch = list_entry(it, struct watch, link);
    if (watch->told == source) watch->told = NULL;
  }
}

static void destroy_line(struct event *event) {
  struct event_line *line = (struct event_line *)event;
  free(line->text);
  free(line);
}

static bool has_room(struct watch *watch) {
  uint64_t turn = watch->log->logs->loop->turns;
  if (watch->turn != turn) watch->turn = turn, watch->queued = 0;
  return watch->queued++ < TURN_LINES;
}

static void tell(struct watch *watch, struct source *source, const char *text, size_t size) {
  size = needle_line_size(text, size);
  if (!has_room(watch)) {
    watch->lost++;
    return;
  }
  struct event_line *line = mem_new(sizeof *line);
  line->event = (struct event){.kind = EV_LINE, .id = watch->id, .destroy = destroy_line};
  line->at_ms = clock_wall_us() / 1000;
  line->stream = source->stream;
  line->text = mem_dup(text, size);
  line->size_bytes = size;
  line->lost = watch->lost;
  watch->lost = 0;
  loop_push(watch->log->logs->loop, &line->event);
}

static void look_at_lines(struct source *source, const char *bytes, size_t size) {
  list_each(it, &source->log->watches) {
    struct watch *watch = list_entry(it, struct watch, link);
    const char *line;
    size_t length;
    for (size_t at = 0; needle_next_line(&watch->needle, bytes, size, &at, &line, &length);)
      tell(watch, source, line, length);
  }
}

// The line that has begun in earlier bytes, as far as it is known. Told once, be it before its end.
static void look_at_open_line(struct source *source, bool ends) {
  list_each(it, &source->log->watches) {
    struct watch *watch = list_entry(it, struct watch, link);
    if (watch->told != source &&
        needle_in_line(&watch->needle, source->pieces.data, source->pieces.size)) {
      tell(watch, source, source->pieces.data, source->pieces.size);
      watch->told = source;
    }
    if (ends && watch->told == source) watch->told = NULL;
  }
  if (ends) source->pieces.size = 0;
}

static void add_piece(struct source *source, const char *bytes, size_t size) {
  size_t room = INDEX_LINE_MAX - source->pieces.size;
  bytes_add(&source->pieces, bytes, size < room ? size : room);
}

void watch_feed(struct source *source, const char *bytes, size_t size_bytes) {
  size_t at = 0;
  if (source->pieces.size) {
    const char *newline = memchr(bytes, '\n', size_bytes);
    size_t length = newline ? (size_t)(newline - bytes) : size_bytes;
    add_piece(source, bytes, length);
    look_at_open_line(source, newline != NULL);
    if (!newline) return;
    at = length + 1;
  }
  const char *last = at < size_bytes ? memrchr(bytes + at, '\n', size_bytes - at) : NULL;
  size_t whole = last ? (size_t)(last - bytes) + 1 : at;
  if (whole > at) look_at_lines(source, bytes + at, whole - at);
  if (whole < size_bytes) {
    add_piece(source, bytes + whole, size_bytes - whole);
    look_at_open_line(source, false);
  }
}
