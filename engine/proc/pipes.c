// The pipes of a process that are ours to serve: stdin, and output that is captured for the event
// of its end. Output that goes to a log is the log's.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/logs.h"
#include "proc/registry.h"

enum { READ_SIZE = 64 * 1024, READS_A_TURN = 4, AFTER_EXIT_MS = 200 };

struct capture {
  uv_poll_t poll;
  int fd; // -1: has ended, or was never wanted
  bool wanted, truncated;
  char *bytes;
  size_t size, capacity;
};

struct feed {
  uv_poll_t poll;
  bool open;        // the poll is
  bool close_after; // stdin closes when all is written
  char *bytes;
  size_t at, size, capacity;
};

struct pipes {
  struct proc *proc;
  struct capture captures[2];
  size_t capture_max;
  struct feed feed;
  uv_timer_t patience; // after the leader's end
  bool patience_open;
  int users; // the process, and each open handle
};

static void pipes_release(struct pipes *pipes) {
  if (--pipes->users) return;
  for (int i = 0; i < 2; i++) free(pipes->captures[i].bytes);
  free(pipes->feed.bytes);
  free(pipes);
}

static void on_closed(uv_handle_t *handle) {
  pipes_release(handle->data);
}

static struct pipes *pipes_of(struct proc *proc) {
  if (proc->pipes) return proc->pipes;
  struct pipes *pipes = mem_new(sizeof *pipes);
  pipes->proc = proc;
  pipes->users = 1;
  pipes->captures[0].fd = pipes->captures[1].fd = -1;
  return proc->pipes = pipes;
}

static void capture_end(struct pipes *pipes, struct capture *capture) {
  if (capture->fd < 0) return;
  uv_poll_stop(&capture->poll);
  uv_close((uv_handle_t *)&capture->poll, on_closed);
  close(capture->fd);
  capture->fd = -1;
  (void)pipes;
}

// The first bytes are kept. Without memory the rest counts as too much.
static void capture_keep(struct capture *capture, const char *bytes, size_t size, size_t max) {
  size_t room = max - capture->size;
  if (size > room) {
    size = room;
    capture->truncated = true;
  }
  if (!size) return;
  if (capture->size + size > capture->capacity) {
    size_t capacity = (capture->size + size) * 2;
    if (capacity > max) capacity = max;
    char *grown = realloc(capture->bytes, capacity);
    if (!grown) {
      capture->truncated = true;
      return;
    }
    capture->bytes = grown;
    capture->capacity = capacity;
  }
  memcpy(capture->bytes + capture->size, bytes, size);
  capture->size += size;
}

bool pipes_busy(const struct proc *proc) {
  const struct pipes *pipes = proc->pipes;
  return pipes && (pipes->captures[0].fd >= 0 || pipes->captures[1].fd >= 0);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct pipes *pipes = poll->data;
  struct capture *capture =
      poll == &pipes->captures[0].poll ? pipes->captures : pipes->captures + 1;
  char bytes[READ_SIZE];
  (void)status;
  (void)events;
  for (int i = 0; i < READS_A_TURN; i++) {
    ssize_t got = read(capture->fd, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      capture_end(pipes, capture);
      if (pipes->proc->exited && !pipes_busy(pipes->proc)) reap_tell(pipes->proc);
      return;
    }
    capture_keep(capture, bytes, (size_t)got, pipes->capture_max);
  }
}

static void capture_start(struct proc *proc, int index, int fd) {
  struct pipes *pipes = pipes_of(proc);
  struct capture *capture = &pipes->captures[index];
  capture->wanted = true;
  if (uv_poll_init(&proc->procs->loop->uv, &capture->poll, fd) < 0) {
    close(fd);
    capture->truncated = true;
    return;
  }
  capture->fd = fd;
  capture->poll.data = pipes;
  pipes->users++;
  uv_poll_start(&capture->poll, UV_READABLE, on_readable);
}

static void on_patience(uv_timer_t *timer) {
  struct pipes *pipes = timer->data;
  struct proc *proc = pipes->proc;
  for (int i = 0; i < 2; i++) {
    if (pipes->captures[i].fd < 0) continue;
    on_readable(&pipes->captures[i].poll, 0, UV_READABLE);
    if (!proc->pipes) return; // that was the end, and told
    capture_end(pipes, &pipes->captures[i]);
  }
  reap_tell(proc);
}

void pipes_ended(struct proc *proc) {
  struct pipes *pipes = proc->pipes;
  uv_timer_init(&proc->procs->loop->uv, &pipes->patience);
  pipes->patience.data = pipes;
  pipes->patience_open = true;
  pipes->users++;
  uv_timer_start(&pipes->patience, on_patience, AFTER_EXIT_MS, 0);
}

void pipes_take(struct proc *proc, struct exit_event *event) {
  struct pipes *pipes = proc->pipes;
  for (int i = 0; pipes && i < 2; i++) {
    struct capture *capture = &pipes->captures[i];
    if (!capture->wanted) continue;
    event->captured[i].bytes = capture->bytes ? capture->bytes : mem_dup("", 0);
    event->captured[i].size = capture->size;
    event->truncated = event->truncated || capture->truncated;
    capture->bytes = NULL;
  }
}

static void feed_end(struct proc *proc) {
  struct pipes *pipes = proc->pipes;
  if (pipes && pipes->feed.open) {
    uv_poll_stop(&pipes->feed.poll);
    uv_close((uv_handle_t *)&pipes->feed.poll, on_closed);
    pipes->feed.open = false;
    pipes->feed.at = pipes->feed.size = 0;
  }
  if (proc->stdin_fd >= 0) close(proc->stdin_fd);
  proc->stdin_fd = -1;
}

void pipes_hang_up(struct proc *proc) {
  feed_end(proc);
}

void pipes_close(struct proc *proc) {
  struct pipes *pipes = proc->pipes;
  feed_end(proc);
  if (!pipes) return;
  for (int i = 0; i < 2; i++) capture_end(pipes, &pipes->captures[i]);
  if (pipes->patience_open) uv_close((uv_handle_t *)&pipes->patience, on_closed);
  pipes->patience_open = false;
  proc->pipes = NULL;
  pipes_release(pipes);
}

// Writes what goes without waiting: its number, or -errno when the other end is gone.
static ssize_t write_some(int fd, const char *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t put = write(fd, bytes + done, size - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) break;
    if (put < 0) return -errno;
    done += (size_t)put;
  }
  return (ssize_t)done;
}

static size_t waiting(const struct proc *proc) {
  return proc->pipes ? proc->pipes->feed.size - proc->pipes->feed.at : 0;
}

static void on_writable(uv_poll_t *poll, int status, int events) {
  struct pipes *pipes = poll->data;
  struct proc *proc = pipes->proc;
  struct feed *feed = &pipes->feed;
  (void)status;
  (void)events;
  ssize_t put = write_some(proc->stdin_fd, feed->bytes + feed->at, feed->size - feed->at);
  if (put > 0) feed->at += (size_t)put;
  if (put >= 0 && feed->at < feed->size) return;
  uv_poll_stop(poll);
  feed->at = feed->size = 0;
  if (put < 0 || feed->close_after) feed_end(proc);
}

static int feed_wait(struct proc *proc) {
  struct feed *feed = &proc->pipes->feed;
  if (!feed->open) {
    int error = uv_poll_init(&proc->procs->loop->uv, &feed->poll, proc->stdin_fd);
    if (error) return error;
    feed->poll.data = proc->pipes;
    feed->open = true;
    proc->pipes->users++;
  }
  return uv_poll_start(&feed->poll, UV_WRITABLE, on_writable);
}

static int feed_keep(struct proc *proc, const char *bytes, size_t size) {
  struct feed *feed = &pipes_of(proc)->feed;
  if (feed->at) {
    memmove(feed->bytes, feed->bytes + feed->at, feed->size - feed->at);
    feed->size -= feed->at;
    feed->at = 0;
  }
  if (feed->size + size > feed->capacity) {
    char *grown = realloc(feed->bytes, feed->size + size);
    if (!grown) return -ENOMEM;
    feed->bytes = grown;
    feed->capacity = feed->size + size;
  }
  memcpy(feed->bytes + feed->size, bytes, size);
  feed->size += size;
  return feed_wait(proc);
}

static int put(struct proc *proc, const char *bytes, size_t size) {
  ssize_t done = waiting(proc) ? 0 : write_some(proc->stdin_fd, bytes, size);
  if (done < 0) {
    feed_end(proc);
    return (int)done;
  }
  if ((size_t)done == size) return 0;
  return feed_keep(proc, bytes + done, size - (size_t)done);
}

int procs_write(struct procs *procs, uint64_t id, const char *bytes, size_t size) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return -ENOENT;
  if (proc->stdin_fd < 0 || (proc->pipes && proc->pipes->feed.close_after)) return -EPIPE;
  if (waiting(proc) + size > PROCS_INPUT_MAX) return -ENOBUFS;
  return put(proc, bytes, size);
}

static void close_behind(struct proc *proc) {
  if (waiting(proc))
    proc->pipes->feed.close_after = true;
  else
    feed_end(proc);
}

int procs_close_stdin(struct procs *procs, uint64_t id) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return -ENOENT;
  if (proc->stdin_fd < 0) return -EPIPE;
  close_behind(proc);
  return 0;
}

int procs_resize(struct procs *procs, uint64_t id, const struct pty_size *size) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return -ENOENT;
  if (!proc->terminal) return -ENOTTY;
  return proc->stdin_fd < 0 ? -EPIPE : pty_resize(proc->stdin_fd, size);
}

void pipes_attach(struct proc *proc, const struct procs_spec *spec, const int fds[3]) {
  proc->stdin_fd = fds[0];
  for (int i = 1; i < 3; i++) {
    if (fds[i] < 0) continue;
    if (spec->spawn.stdio[i] == SPAWN_LOG) {
      logs_attach(proc->logs, proc->log, proc->id, fds[i], i, proc->terminal);
      continue;
    }
    capture_start(proc, i - 1, fds[i]);
    proc->pipes->capture_max = spec->capture_max ? spec->capture_max : PROCS_CAPTURE_MAX;
  }
  if (!spec->input || proc->stdin_fd < 0) return;
  if (put(proc, spec->input, spec->input_size) == 0) close_behind(proc);
}
