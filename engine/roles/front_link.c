#include "roles/front_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "log/out.h"
#include "log/render.h"
#include "loop/sig.h"
#include "proc/tree_kill.h"
#include "roles/guard.h"

// What the engine writes to one of its two streams, on its way to ours.
struct output {
  uv_pipe_t pipe;
  struct front_watch *watch;
  struct out out; // ours
  struct render render;
};

struct front_watch {
  struct front_link *link;
  struct loop *loop;
  uv_poll_t guard, engine; // pidfds
  bool guard_open, engine_open;
  int engine_pidfd;
  struct guard_note note; // the last one read
  struct output outputs[2];
  bool output_open[2];
  int handles; // not closed yet
  bool detached;
  char buffer[4096];
};

static void release(struct front_watch *watch) {
  if (watch->handles || !watch->detached) return;
  fd_close(&watch->engine_pidfd);
  free(watch);
}

static void on_poll_closed(uv_handle_t *handle) {
  struct front_watch *watch = handle->data;
  watch->handles--;
  release(watch);
}

static void on_pipe_closed(uv_handle_t *handle) {
  struct output *output = handle->data;
  render_finish(&output->render);
  out_finish(&output->out);
  output->watch->handles--;
  release(output->watch);
}

static void close_poll(uv_poll_t *poll, bool *open) {
  if (!*open) return;
  *open = false;
  uv_close((uv_handle_t *)poll, on_poll_closed);
}

static void close_output(struct front_watch *watch, int i) {
  if (!watch->output_open[i]) return;
  watch->output_open[i] = false;
  uv_close((uv_handle_t *)&watch->outputs[i].pipe, on_pipe_closed);
}

static int open_poll(struct front_watch *watch, uv_poll_t *poll, bool *open, int fd,
                     uv_poll_cb cb) {
  int error = uv_poll_init(&watch->loop->uv, poll, fd);
  if (error) return error;
  poll->data = watch;
  watch->handles++;
  *open = true;
  return uv_poll_start(poll, UV_READABLE, cb);
}

// Output -----------------------------------------------------------------------------------------

// Lines of its stderr are told apart; on a terminal what they say moves nothing.
static void pass_on(struct output *output, const char *bytes, size_t size) {
  static const char prefix[] = "engine: ";
  size_t prefix_size = output->out.fd == STDERR_FILENO ? sizeof prefix - 1 : 0;
  render_chunk(&output->render, 1, true, prefix, prefix_size, bytes, size);
  out_flush(&output->out);
}

// All that is there now: the engine has ended, or may have written while we heard of its end.
static void drain_outputs(struct front_watch *watch) {
  for (int i = 0; i < 2; i++) {
    uv_os_fd_t fd;
    if (!watch->output_open[i]) continue;
    if (uv_fileno((uv_handle_t *)&watch->outputs[i].pipe, &fd)) continue;
    for (ssize_t count; (count = fd_read(fd, watch->buffer, sizeof watch->buffer)) > 0;)
      pass_on(&watch->outputs[i], watch->buffer, (size_t)count);
    close_output(watch, i);
  }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct output *output = handle->data;
  (void)size;
  *buffer = uv_buf_init(output->watch->buffer, sizeof output->watch->buffer);
}

static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct output *output = stream->data;
  if (count > 0) pass_on(output, buffer->base, (size_t)count);
  if (count < 0) close_output(output->watch, (int)(output - output->watch->outputs));
}

static int open_output(struct front_watch *watch, int i) {
  struct output *output = &watch->outputs[i];
  *output = (struct output){.watch = watch, .out.fd = i == 0 ? STDOUT_FILENO : STDERR_FILENO};
  output->render = (struct render){.out = &output->out, .escape = isatty(output->out.fd)};
  int error = uv_pipe_init(&watch->loop->uv, &output->pipe, 0);
  if (error) return error;
  output->pipe.data = output;
  watch->handles++;
  watch->output_open[i] = true;
  error = uv_pipe_open(&output->pipe, watch->link->output_fds[i]);
  if (error) return error;
  watch->link->output_fds[i] = -1;
  uv_unref((uv_handle_t *)&output->pipe);
  return uv_read_start((uv_stream_t *)&output->pipe, on_alloc, on_output);
}

// The end of the other side ----------------------------------------------------------------------

// `status` of the engine, -1 when nobody knows.
static void both_ended(struct front_watch *watch, int status) {
  drain_outputs(watch);
  watch->link->status = status < 0 ? 128 + SIGKILL : status;
  watch->link->ended = true;
  signals_push(watch->loop, SIG_GUARD);
}

// The guard could not do its work: what the engine left has come to us.
static void both_killed(struct front_watch *watch, int status) {
  if (!*watch->link->swept) tree_kill_descendants(GUARD_GRACE_MS, &kernel_linux, NULL);
  both_ended(watch, status);
}

// The last note that the guard has left; it waits for no other.
static struct guard_note read_notes(struct front_watch *watch) {
  struct pollfd ready = {.fd = watch->link->notes_fd, .events = POLLIN};
  struct guard_note next;
  while (poll(&ready, 1, 0) > 0 && fd_read_full(ready.fd, &next, sizeof next) == sizeof next)
    watch->note = next;
  return watch->note;
}

int front_link_kill_engine(struct front_link *link) {
  if (!link->front || !link->watch || link->ended) return -ESRCH;
  struct guard_note note = read_notes(link->watch);
  if (note.engine_pid <= 0 || note.status >= 0) return -ESRCH;
  return kill(note.engine_pid, SIGKILL) < 0 ? -errno : 0;
}

static void on_engine_end(uv_poll_t *poll, int error, int events) {
  (void)error;
  (void)events;
  struct front_watch *watch = poll->data;
  siginfo_t info = {0};
  close_poll(&watch->engine, &watch->engine_open);
  bool told = !waitid(P_PIDFD, (id_t)watch->engine_pidfd, &info, WEXITED | WNOHANG) && info.si_pid;
  bool exited = info.si_code == CLD_EXITED;
  both_killed(watch, !told ? -1 : exited ? info.si_status : 128 + info.si_status);
}

// A guard that was killed has left its engine to us, which now shuts down: wait for that.
static bool wait_for_engine(struct front_watch *watch, struct guard_note note) {
  siginfo_t info = {0};
  if (note.engine_pid <= 0) return false;
  watch->engine_pidfd = (int)syscall(SYS_pidfd_open, note.engine_pid, 0);
  if (watch->engine_pidfd < 0) return false;
  if (waitid(P_PIDFD, (id_t)watch->engine_pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return false; // not our child: the pid is somebody else's now
  return !open_poll(watch, &watch->engine, &watch->engine_open, watch->engine_pidfd, on_engine_end);
}

static void guard_ended(struct front_watch *watch) {
  if (!watch->link->front) {
    watch->link->ended = true;
    signals_push(watch->loop, SIG_GUARD);
    return;
  }
  struct guard_note note = read_notes(watch);
  waitpid(watch->link->guard_pid, NULL, WNOHANG);
  if (note.engine_pid < 0)
    both_ended(watch, 1); // it never ran
  else if (note.status >= 0)
    both_ended(watch, note.status);
  else if (!wait_for_engine(watch, note))
    both_killed(watch, -1);
}

static void on_guard_end(uv_poll_t *poll, int error, int events) {
  (void)error;
  (void)events;
  struct front_watch *watch = poll->data;
  close_poll(&watch->guard, &watch->guard_open);
  guard_ended(watch);
}

int front_link_take(struct front_link *link) {
  int fd = link->fd;
  link->fd = -1;
  return fd;
}

int front_link_attach(struct front_link *link, struct loop *loop) {
  struct front_watch *watch = mem_new(sizeof *watch);
  watch->link = link;
  watch->loop = loop;
  watch->engine_pidfd = -1;
  watch->note = (struct guard_note){.status = -1};
  link->watch = watch;
  int error = 0;
  if (link->guard_pidfd < 0)
    guard_ended(watch); // before we could look
  else
    error = open_poll(watch, &watch->guard, &watch->guard_open, link->guard_pidfd, on_guard_end);
  for (int i = 0; i < 2 && !error; i++)
    if (link->output_fds[i] >= 0) error = open_output(watch, i);
  return error;
}

int front_link_leave(const struct front_link *link, const char *path) {
  if (link->front) return -ESRCH;
  int file_fd = fd_open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  int fd = file_fd < 0 ? fd_open("/dev/null", O_WRONLY, 0) : file_fd;
  fflush(stdout);
  for (int i = STDOUT_FILENO; i <= STDERR_FILENO && fd >= 0; i++) dup2(fd, i);
  fd_close(&fd);
  return file_fd < 0 ? file_fd : 0;
}

void front_link_detach(struct front_link *link) {
  struct front_watch *watch = link->watch;
  if (!watch) return;
  link->watch = NULL;
  close_poll(&watch->guard, &watch->guard_open);
  close_poll(&watch->engine, &watch->engine_open);
  for (int i = 0; i < 2; i++) close_output(watch, i);
  fd_close(&link->fd);
  fd_close(&link->notes_fd);
  fd_close(&link->guard_pidfd);
  fd_close(&link->output_fds[0]); // those that no handle has taken
  fd_close(&link->output_fds[1]);
  watch->detached = true;
  release(watch);
}
