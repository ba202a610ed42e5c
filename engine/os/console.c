#include "os/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/rescue.h"

enum { READ_SIZE = 4096 };

struct console {
  struct loop *loop;
  uint64_t id; // 0: not open
  int fd;      // opened anew: what is non-blocking for us must not be so for others
  bool raw;
  struct termios before;
  uv_poll_t poll;
};

struct console *console_create(struct loop *loop) {
  struct console *console = mem_new(sizeof *console);
  *console = (struct console){.loop = loop, .fd = -1};
  return console;
}

static bool in_foreground(const struct console *console) {
  return tcgetpgrp(console->fd) == getpgrp();
}

// The kernel stops who isn't in the foreground and sets attributes, unless that is blocked.
static int set_attributes(const struct console *console, const struct termios *termios) {
  sigset_t ttou, old;
  sigemptyset(&ttou);
  sigaddset(&ttou, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &ttou, &old);
  int result;
  do result = tcsetattr(console->fd, TCSADRAIN, termios);
  while (result < 0 && errno == EINTR);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return result < 0 ? -error : 0;
}

static int take(struct console *console) {
  if (!in_foreground(console)) return -EAGAIN;
  struct termios raw;
  if (tcgetattr(console->fd, &raw) < 0) return -errno;
  if (!console->raw) console->before = raw;
  cfmakeraw(&raw);
  rescue_arm(console->fd, &console->before);
  int error = set_attributes(console, &raw);
  if (!error) console->raw = true;
  return error;
}

// Not from behind another job's back: a shell has set what it needs.
static void give_back(struct console *console) {
  if (console->raw && in_foreground(console)) set_attributes(console, &console->before);
  console->raw = false;
  rescue_disarm();
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct console *console = poll->data;
  char bytes[READ_SIZE];
  (void)events;
  ssize_t got = status < 0 ? status : fd_read(console->fd, bytes, sizeof bytes);
  if (got == -EAGAIN) return;
  if (got <= 0) {
    uv_poll_stop(poll);
    got = 0;
  }
  struct input_event *input = mem_new(sizeof *input + (size_t)got);
  input->event = (struct event){.kind = EV_INPUT, .id = console->id};
  input->size = (size_t)got;
  memcpy(input->bytes, bytes, input->size);
  loop_push(console->loop, &input->event);
}

static int open_anew(void) {
  char name[64];
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return -ENOTTY;
  int error = ttyname_r(STDIN_FILENO, name, sizeof name);
  int fd = error ? -error : fd_open(name, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
  return fd < 0 ? fd_open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK, 0) : fd;
}

static int open_first(struct console *console) {
  console->fd = open_anew();
  if (console->fd < 0) return console->fd;
  int error = uv_poll_init(&console->loop->uv, &console->poll, console->fd);
  if (error)
    fd_close(&console->fd);
  else
    console->poll.data = console;
  return error;
}

int console_open(struct console *console, uint64_t *id) {
  int error = console->id ? -EBUSY : console->fd < 0 ? open_first(console) : 0;
  if (!error) error = take(console);
  if (error) return error;
  console->id = *id = loop_new_id(console->loop);
  return uv_poll_start(&console->poll, UV_READABLE, on_readable);
}

// The handle lives in the struct, which goes at the end of the loop only.
static void on_closed(uv_handle_t *handle) {
  free(handle->data);
}

bool console_close(struct console *console, uint64_t id) {
  if (!console->id || console->id != id) return false;
  uv_poll_stop(&console->poll);
  give_back(console);
  loop_forget(console->loop, id);
  console->id = 0;
  return true;
}

void console_destroy(struct console *console) {
  if (!console) return;
  console_close(console, console->id);
  if (console->fd < 0) {
    free(console);
    return;
  }
  uv_close((uv_handle_t *)&console->poll, on_closed);
  fd_close(&console->fd);
}

void console_suspend(struct console *console) {
  give_back(console);
  raise(SIGSTOP);
  console_resume(console);
}

bool console_resume(struct console *console) {
  return console->id && take(console) == 0;
}
