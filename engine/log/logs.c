#include "log/logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/lines.h"
#include "log/log.h"

#define OUTPUT_MS 25u
#define FINISH_MS 1000u
#define SETTLE_MS 20u
#define SLOW_US   1000000u
#define ROOM_MS   100u

static void on_output_timer(uv_timer_t *timer);

static void destroy_fault(struct event *event) {
  struct event_logfault *fault = (struct event_logfault *)event;
  free(fault->message);
  free(fault);
}

static void push_faults(struct logs *logs) {
  struct event *next, *fault = (struct event *)writer_take_faults(logs->writer);
  for (; fault; fault = next) {
    next = fault->next;
    fault->destroy = destroy_fault;
    loop_push(logs->loop, fault);
  }
}

size_t logs_news(struct logs *logs, uint64_t ids[LOGS_NEWS]) {
  struct writer_news news[LOGS_NEWS];
  size_t count = writer_take_news(logs->writer, news, LOGS_NEWS);
  for (size_t i = 0; i < count; i++) ids[i] = news[i].id;
  return count;
}

static void tell(struct logs *logs, const struct writer_news *news) {
  struct event_output *output = mem_new(sizeof *output);
  output->event = (struct event){.kind = EV_OUTPUT, .id = news->id};
  output->end_offset = news->end_offset;
  output->lines = news->lines;
  loop_push(logs->loop, &output->event);
}

// True when something was told.
static bool tell_output(struct logs *logs) {
  struct writer_news news[LOGS_NEWS];
  size_t count;
  bool told = false;
  do {
    count = writer_take_news(logs->writer, news, LOGS_NEWS);
    for (size_t i = 0; i < count; i++) tell(logs, &news[i]);
    told = told || count;
  } while (count == LOGS_NEWS);
  return told;
}

// Told at once after a silence, and then every 25 ms. While the timer runs the writer says nothing;
// it is armed before the last look, so that nothing falls between.
static void look_for_output(struct logs *logs) {
  if (uv_is_active((uv_handle_t *)&logs->output_timer)) return;
  if (tell_output(logs)) {
    uv_update_time(&logs->loop->uv);
    uv_timer_start(&logs->output_timer, on_output_timer, OUTPUT_MS, 0);
  } else {
    writer_arm(logs->writer);
    if (tell_output(logs)) uv_timer_start(&logs->output_timer, on_output_timer, OUTPUT_MS, 0);
  }
}

static void on_output_timer(uv_timer_t *timer) {
  look_for_output(timer->data);
}

static void on_news(uv_async_t *async) {
  struct logs *logs = async->data;
  push_faults(logs);
  pipe_resume_all(logs);
  look_for_output(logs);
}

static void wake(void *context) {
  struct logs *logs = context;
  uv_async_send(&logs->news);
}

struct logs *logs_create(struct loop *loop) {
  struct logs *logs = mem_new(sizeof *logs);
  logs->loop = loop;
  list_init(&logs->tails);
  list_init(&logs->paused);
  logs->writer = writer_create(wake, logs);
  logs->handles = 3;
  logs->news.data = logs->tail_timer.data = logs->output_timer.data = logs;
  uv_async_init(&loop->uv, &logs->news, on_news);
  uv_timer_init(&loop->uv, &logs->tail_timer);
  uv_timer_init(&loop->uv, &logs->output_timer);
  uv_unref((uv_handle_t *)&logs->news); // alone it makes no event
  uv_unref((uv_handle_t *)&logs->output_timer);
  return logs;
}

static void on_handle_closed(uv_handle_t *handle) {
  struct logs *logs = handle->data;
  if (--logs->handles == 0) free(logs);
}

static void close_log(struct logs *logs, struct log *log) {
  pipe_close_all(log);
  for (int stream = 0; stream < 4; stream++) {
    if (!log->ours[stream]) continue;
    source_finish(log->ours[stream]);
    free(log->ours[stream]);
  }
  screen_finish(&log->screen);
  watch_end_all(log);
  writer_close(logs->writer, log->store);
  free(log);
}

void logs_destroy(struct logs *logs) {
  if (!logs) return;
  size_t at = 0;
  uint64_t id;
  void *log;
  while (idmap_next(&logs->logs, &at, &id, &log)) close_log(logs, log);
  idmap_finish(&logs->logs);
  idmap_finish(&logs->watches);
  chunk_release(writer_pool(logs->writer), logs->spare);
  writer_destroy(logs->writer, FINISH_MS);
  uv_close((uv_handle_t *)&logs->news, on_handle_closed);
  uv_close((uv_handle_t *)&logs->tail_timer, on_handle_closed);
  uv_close((uv_handle_t *)&logs->output_timer, on_handle_closed);
}

int logs_open(struct logs *logs, const struct log_options *options, uint64_t *id) {
  if (!*options->name || strchr(options->name, '/')) return -EINVAL;
  int result;
  uint64_t new_id = loop_new_id(logs->loop);
  struct store *store = writer_open(logs->writer, options, new_id, &result);
  if (!store) return result;
  struct log *log = mem_new(sizeof *log);
  log->logs = logs;
  log->id = *id = new_id;
  log->store = store;
  list_init(&log->pipes);
  list_init(&log->watches);
  idmap_set(&logs->logs, new_id, log);
  return 0;
}

unsigned logs_unopened(struct logs *logs) {
  return writer_unopened(logs->writer);
}

void logs_close(struct logs *logs, uint64_t id) {
  struct log *log = idmap_remove(&logs->logs, id);
  if (!log) return;
  close_log(logs, log);
  loop_forget(logs->loop, id);
}

void logs_epoch(struct logs *logs, uint64_t id, uint32_t epoch) {
  struct log *log = idmap_get(&logs->logs, id);
  if (log) log->epoch = epoch;
}

int logs_limit(struct logs *logs, uint64_t id, uint64_t max_size_bytes, unsigned max_files) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return -ENOENT;
  store_limit(log->store, max_size_bytes, max_files);
  return 0;
}

int logs_attach(struct logs *logs, uint64_t id, uint64_t owner, int fd, int stream, bool terminal) {
  struct log *log = idmap_get(&logs->logs, id);
  if (log) return pipe_attach(log, owner, fd, stream, terminal);
  close(fd);
  return -ENOENT;
}

// Who hears of an end is to find its last words in the file, which takes less than a millisecond
// but for a disk that is slow: that one isn't waited for again and again.
static void settle(struct logs *logs, struct log *log) {
  if (clock_mono_us() < logs->slow_until_us) return;
  if (!writer_settle(logs->writer, log->store, SETTLE_MS))
    logs->slow_until_us = clock_mono_us() + SLOW_US;
}

void logs_leader_ended(struct logs *logs, uint64_t id, uint64_t owner) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return;
  pipe_leader_ended(log, owner);
  settle(logs, log);
}

int logs_write(struct logs *logs, uint64_t id, int stream, const char *bytes, size_t size_bytes) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return -ENOENT;
  if (stream < LOG_STDOUT || stream > LOG_OURS) return -EINVAL;
  if (!log->ours[stream]) {
    log->ours[stream] = mem_new(sizeof(struct source));
    source_init(log->ours[stream], log, stream);
  }
  for (size_t at = 0; at < size_bytes;) {
    if (!writer_wait_room(logs->writer, log->store, ROOM_MS)) {
      writer_count_lost(logs->writer, log->store, size_bytes - at);
      return -EAGAIN;
    }
    size_t part = size_bytes - at < CHUNK_READ ? size_bytes - at : CHUNK_READ;
    source_feed(log->ours[stream], bytes + at, part);
    at += part;
  }
  return 0;
}

void logs_notify(struct logs *logs, uint64_t id, enum log_notice notice) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return;
  writer_notify(logs->writer, log->store, notice);
  if (notice != LOG_UNTOLD) writer_arm(logs->writer);
}

ssize_t logs_view(struct logs *logs, uint64_t id, const struct log_viewer *viewer, char *recent,
                  uint64_t *lost) {
  struct log *log = idmap_get(&logs->logs, id);
  return log ? (ssize_t)screen_view(&log->screen, viewer, recent, lost) : -ENOENT;
}

void logs_unview(struct logs *logs, uint64_t id, uint64_t viewer_id) {
  struct log *log = idmap_get(&logs->logs, id);
  if (log) screen_unview(&log->screen, viewer_id);
}

int logs_lines(struct logs *logs, uint64_t id, const struct line_filter *filter,
               struct lines *lines) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return -ENOENT;
  struct writer_snapshot snapshot;
  writer_snapshot(logs->writer, log->store, &snapshot);
  int result = lines_read(lines, log->store->stem, filter, &snapshot.chunks, snapshot.end_offset);
  for (struct chunk *chunk; (chunk = chunk_shift(&snapshot.chunks));) free(chunk);
  return result;
}

int logs_stat(struct logs *logs, uint64_t id, struct log_stat *stat) {
  struct log *log = idmap_get(&logs->logs, id);
  if (!log) return -ENOENT;
  writer_stat(logs->writer, log->store, stat);
  return 0;
}

bool logs_flush(struct logs *logs, unsigned timeout_ms) {
  size_t at = 0;
  uint64_t id;
  void *value;
  while (idmap_next(&logs->logs, &at, &id, &value)) {
    struct log *log = value;
    pipe_read_all(log);
    for (int stream = 0; stream < 4; stream++)
      if (log->ours[stream]) source_flush(log->ours[stream]);
  }
  return writer_flush(logs->writer, timeout_ms);
}
