// A directory, a loop and a log store for tests; writers as child processes; files read back.
#pragma once
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/index.h"
#include "log/lines.h"
#include "log/logs.h"
#include "net_turn.h"

enum { LOG_EVENTS_MAX = 4200 };

struct log_world {
  struct net_turn turn;
  struct logs *logs;
  char dir[64];
  // Events as they came; of lines the text.
  enum event_kind kinds[LOG_EVENTS_MAX];
  uint64_t ids[LOG_EVENTS_MAX];
  char *texts[LOG_EVENTS_MAX];
  uint64_t numbers[LOG_EVENTS_MAX]; // end offset, or lost bytes
  unsigned count;
};

static inline void log_world_on_event(struct event *event, void *context) {
  struct log_world *world = context;
  assert_true(world->count < LOG_EVENTS_MAX);
  unsigned at = world->count++;
  world->kinds[at] = event->kind;
  world->ids[at] = event->id;
  world->texts[at] = NULL;
  if (event->kind == EV_LINE) {
    world->texts[at] = strdup(((struct event_line *)event)->text);
    world->numbers[at] = ((struct event_line *)event)->lost;
  }
  if (event->kind == EV_OUTPUT) world->numbers[at] = ((struct event_output *)event)->end_offset;
  if (event->kind == EV_LOGFAULT) {
    struct event_logfault *fault = (struct event_logfault *)event;
    if (fault->message) world->texts[at] = strdup(fault->message);
    world->numbers[at] = fault->lost_bytes;
  }
}

static inline int log_world_open(void **state) {
  struct log_world *world = calloc(1, sizeof *world);
  strcpy(world->dir, "/tmp/pactlua-log-XXXXXX");
  assert_non_null(mkdtemp(world->dir));
  net_turn_init(&world->turn, log_world_on_event, world);
  world->logs = logs_create(&world->turn.loop);
  *state = world;
  return 0;
}

static inline int log_world_close(void **state) {
  struct log_world *world = *state;
  logs_destroy(world->logs);
  net_turn_finish(&world->turn);
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", world->dir);
  assert_int_equal(system(command), 0);
  for (unsigned i = 0; i < world->count; i++) free(world->texts[i]);
  free(world);
  return 0;
}

static inline uint64_t log_world_log(struct log_world *world, const char *name, uint64_t max_size,
                                     unsigned max_files) {
  uint64_t id = 0;
  struct log_options options = {
      .dir = world->dir, .name = name, .max_size_bytes = max_size, .max_files = max_files};
  assert_int_equal(logs_open(world->logs, &options, &id), 0);
  return id;
}

// A pipe whose read end the log owns: the write end.
static inline int log_world_pipe(struct log_world *world, uint64_t id, int stream) {
  int fds[2];
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
  assert_int_equal(logs_attach(world->logs, id, 1, fds[0], stream, false), 0);
  return fds[1];
}

static inline void log_world_put(int fd, const char *text) {
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void log_world_turn(struct log_world *world, unsigned ms) {
  net_turn_until(&world->turn, NULL, NULL, ms);
}

static inline char *log_world_path(struct log_world *world, const char *file) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", world->dir, file);
  return path;
}

// A whole file, with a NUL behind it; NULL when there is none.
static inline char *log_world_read(struct log_world *world, const char *file, size_t *size) {
  if (size) *size = 0;
  int fd = open(log_world_path(world, file), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  struct stat info;
  assert_int_equal(fstat(fd, &info), 0);
  char *bytes = malloc((size_t)info.st_size + 1);
  size_t total = 0;
  while (total < (size_t)info.st_size) {
    ssize_t count = read(fd, bytes + total, (size_t)info.st_size - total);
    assert_true(count > 0);
    total += (size_t)count;
  }
  close(fd);
  bytes[total] = '\0';
  if (size) *size = total;
  return bytes;
}

struct log_wait {
  struct log_world *world;
  uint64_t id, size;
};

static inline bool log_world_written(void *context) {
  struct log_wait *wait = context;
  struct log_stat stat;
  return logs_stat(wait->world->logs, wait->id, &stat) == 0 &&
         stat.size_bytes + stat.lost_bytes >= wait->size;
}

// Turns until so many bytes have been written (or lost).
static inline bool log_world_until(struct log_world *world, uint64_t id, uint64_t size,
                                   unsigned ms) {
  struct log_wait wait = {world, id, size};
  return net_turn_until(&world->turn, log_world_written, &wait, ms);
}

struct log_event_wait {
  struct log_world *world;
  unsigned count;
};

static inline bool log_world_has_events(void *context) {
  struct log_event_wait *wait = context;
  return wait->world->count >= wait->count;
}

static inline bool log_world_until_events(struct log_world *world, unsigned count, unsigned ms) {
  struct log_event_wait wait = {world, count};
  return net_turn_until(&world->turn, log_world_has_events, &wait, ms);
}

// The last lines as one text, "stream:text|".
static inline char *log_world_lines(struct log_world *world, uint64_t id,
                                    const struct line_filter *filter) {
  static char text[65536];
  struct lines lines = {0};
  text[0] = '\0';
  int result = logs_lines(world->logs, id, filter, &lines);
  if (result != 0) snprintf(text, sizeof text, "error %d", result);
  for (size_t i = 0; i < lines.count; i++) {
    size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, "%d:%.*s|", lines.items[i].stream,
             (int)(lines.items[i].size_bytes < 200 ? lines.items[i].size_bytes : 200),
             lines.items[i].text);
  }
  lines_finish(&lines);
  return text;
}
