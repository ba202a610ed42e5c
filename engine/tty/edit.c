#include "tty/edit.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "log/clock.h"
#include "os/rescue.h"
#include "os/terminal.h"
#include "tty/edit_layout.h"
#include "tty/edit_thread.h"

#define CLOSE_MS      500
#define LEAVE_EDITING "\n\x1b[?2004l"
#define CLEAR_BELOW   "\x1b[J"
#define CLEAR_SCREEN  "\x1b[H\x1b[2J"

static void on_news(uv_async_t *async) {
  struct edit *edit = async->data;
  pthread_mutex_lock(&edit->lock);
  struct edit_event *event = edit->first;
  edit->first = edit->last = NULL;
  pthread_mutex_unlock(&edit->lock);
  while (event) {
    struct edit_event *next = (struct edit_event *)event->event.next;
    loop_push(edit->loop, &event->event);
    event = next;
  }
}

// libedit tells characters by the locale; a terminal that shows UTF-8 only is the rule.
static void choose_locale(void) {
  if (setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8")) return;
  setlocale(LC_CTYPE, "C.UTF-8");
}

// Signals are the loop's, but for those that stop who isn't in the terminal's foreground.
static int start(struct edit *edit) {
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGTTIN);
  sigdelset(&all, SIGTTOU);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&edit->thread, NULL, edit_thread_run, edit);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

static void on_closed(uv_handle_t *handle) {
  free(handle->data);
}

static void drop_news(struct edit *edit) {
  for (struct edit_event *event = edit->first, *next; event; event = next) {
    next = (struct edit_event *)event->event.next;
    free(event);
  }
  edit->first = edit->last = NULL;
}

static void finish(struct edit *edit) {
  if (edit->api) {
    rescue_disarm();
    if (edit->line) edit->api->el_end(edit->line);
    if (edit->history) edit->api->history_end(edit->history);
  }
  if (edit->in) fclose(edit->in);
  if (edit->out) fclose(edit->out);
  drop_news(edit);
  bytes_finish(&edit->rest);
  free(edit->prompt);
  fd_close(&edit->wake_fd);
  uv_close((uv_handle_t *)&edit->news, on_closed);
}

bool edit_available(const char **why) {
  return edit_api_get(why) != NULL;
}

int edit_open(struct loop *loop, bool editing, struct edit **result, uint64_t *id,
              const char **why) {
  const struct edit_api *api = editing ? edit_api_get(why) : NULL;
  if (editing && !api) return -ENOSYS;
  struct edit *edit = mem_new(sizeof *edit);
  edit->loop = loop;
  edit->api = api;
  edit->id = loop_new_id(loop);
  pthread_mutex_init(&edit->lock, NULL);
  pthread_cond_init(&edit->asked, NULL);
  clock_init_condition(&edit->idle);
  uv_async_init(&loop->uv, &edit->news, on_news);
  edit->news.data = edit;
  edit->wake_fd = eventfd(0, EFD_CLOEXEC);
  int error = edit->wake_fd < 0 ? -errno : 0;
  if (!error && editing) {
    choose_locale();
    if (tcgetattr(STDIN_FILENO, &edit->before) == 0) {
      rescue_arm(STDIN_FILENO, &edit->before);
      rescue_say(LEAVE_EDITING, sizeof LEAVE_EDITING - 1);
    }
    error = edit_thread_prepare(edit);
  }
  if (!error) error = start(edit);
  if (error) {
    finish(edit);
    return error;
  }
  *result = edit;
  *id = edit->id;
  return 0;
}

static void wake(struct edit *edit) {
  uint64_t one = 1;
  fd_write_all(edit->wake_fd, &one, sizeof one);
}

// A thread that can't write to its terminal (Ctrl-S) is left to the end of the process.
void edit_destroy(struct edit *edit) {
  if (!edit) return;
  uint64_t until_us = clock_mono_us() + CLOSE_MS * 1000u;
  pthread_mutex_lock(&edit->lock);
  edit->closing = true;
  wake(edit);
  pthread_cond_signal(&edit->asked);
  while (!edit->finished && clock_wait_until(&edit->idle, &edit->lock, until_us)) {}
  bool finished = edit->finished;
  pthread_mutex_unlock(&edit->lock);
  if (finished) {
    pthread_join(edit->thread, NULL);
    finish(edit);
    return;
  }
  if (edit->api) tcsetattr(STDIN_FILENO, TCSANOW, &edit->before);
  rescue_disarm();
  uv_close((uv_handle_t *)&edit->news, NULL);
}

void edit_read(struct edit *edit, const char *prompt) {
  pthread_mutex_lock(&edit->lock);
  free(edit->prompt);
  edit->prompt = mem_strdup(prompt);
  edit->state = EDIT_ASKED;
  pthread_cond_signal(&edit->asked);
  pthread_mutex_unlock(&edit->lock);
}

static size_t columns_now(void) {
  int columns, rows;
  terminal_read_size(&columns, &rows);
  return (size_t)columns;
}

static struct edit_place place_of(const struct edit *edit, bool end) {
  const LineInfo *info = edit->api->el_line(edit->line);
  const char *until = end ? info->lastchar : info->cursor;
  return edit_layout(edit->prompt, info->buffer, (size_t)(until - info->buffer), columns_now());
}

static bool is_shown(const struct edit *edit) {
  return edit->api && edit->state == EDIT_READING;
}

static void put(const char *text) {
  fd_write_all(STDOUT_FILENO, text, strlen(text));
}

static void put_rows(size_t count, char direction) {
  char text[32];
  snprintf(text, sizeof text, "\x1b[%zu%c", count, direction);
  if (count) put(text);
}

static void erase(const struct edit *edit) {
  put("\r");
  put_rows(place_of(edit, false).row, 'A');
  put(CLEAR_BELOW);
}

static void move_to_end(const struct edit *edit) {
  struct edit_place here = place_of(edit, false), end = place_of(edit, true);
  put_rows(end.row - here.row, 'B');
  put("\r");
  put_rows(end.column, 'C');
}

static void show(const struct edit *edit) {
  edit->api->el_set(edit->line, EL_REFRESH);
}

// The prompt begins a line of its own.
static int put_lines(const char *bytes, size_t size) {
  int result = fd_write_all(STDOUT_FILENO, bytes, size);
  if (!result && size && bytes[size - 1] != '\n') put("\n");
  return result;
}

int edit_write(struct edit *edit, const char *bytes, size_t size) {
  int result;
  pthread_mutex_lock(&edit->lock);
  if (is_shown(edit)) {
    erase(edit);
    result = put_lines(bytes, size);
    show(edit);
  } else {
    result = fd_write_all(STDOUT_FILENO, bytes, size);
  }
  pthread_mutex_unlock(&edit->lock);
  return result;
}

bool edit_cancel(struct edit *edit, const char *mark) {
  pthread_mutex_lock(&edit->lock);
  bool asked = edit->state != EDIT_IDLE;
  if (edit->state == EDIT_ASKED) {
    edit->state = EDIT_IDLE;
  } else if (asked) {
    if (edit->api) move_to_end(edit);
    put(mark);
    put("\n");
    edit->cancelled = true;
    wake(edit);
    while (edit->state == EDIT_READING) pthread_cond_wait(&edit->idle, &edit->lock);
  }
  drop_news(edit);
  loop_forget(edit->loop, edit->id);
  pthread_mutex_unlock(&edit->lock);
  return asked;
}

bool edit_typed(struct edit *edit) {
  pthread_mutex_lock(&edit->lock);
  const LineInfo *info = is_shown(edit) ? edit->api->el_line(edit->line) : NULL;
  bool typed = info && info->lastchar > info->buffer;
  pthread_mutex_unlock(&edit->lock);
  return typed;
}

void edit_remember(struct edit *edit, const char *text) {
  if (!edit->api) return;
  HistEvent event;
  pthread_mutex_lock(&edit->lock);
  edit->api->history(edit->history, &event, H_ENTER, text);
  pthread_mutex_unlock(&edit->lock);
}

static bool stands_before(const struct edit *edit, const char *text) {
  const LineInfo *info = edit->api->el_line(edit->line);
  size_t size = strlen(text);
  return (size_t)(info->cursor - info->buffer) == size && !memcmp(info->buffer, text, size);
}

bool edit_complete(struct edit *edit, const char *before, int back, const char *text) {
  pthread_mutex_lock(&edit->lock);
  bool same = is_shown(edit) && stands_before(edit, before);
  if (same) {
    erase(edit);
    if (back > 0) edit->api->el_deletestr(edit->line, back);
    edit->api->el_insertstr(edit->line, text);
    show(edit);
  }
  pthread_mutex_unlock(&edit->lock);
  return same;
}

void edit_suspend(struct edit *edit) {
  pthread_mutex_lock(&edit->lock);
  bool shown = is_shown(edit);
  if (shown) {
    move_to_end(edit);
    put("\n");
    edit->api->el_set(edit->line, EL_PREP_TERM, 0);
  }
  raise(SIGSTOP);
  if (shown) {
    edit->api->el_set(edit->line, EL_PREP_TERM, 1);
    show(edit);
  }
  pthread_mutex_unlock(&edit->lock);
}

void edit_resume(struct edit *edit) {
  pthread_mutex_lock(&edit->lock);
  if (is_shown(edit)) {
    edit->api->el_set(edit->line, EL_PREP_TERM, 0);
    edit->api->el_set(edit->line, EL_PREP_TERM, 1);
    erase(edit);
    show(edit);
  }
  pthread_mutex_unlock(&edit->lock);
}

void edit_resize(struct edit *edit) {
  pthread_mutex_lock(&edit->lock);
  if (is_shown(edit)) {
    erase(edit);
    edit->api->el_resize(edit->line);
    show(edit);
  }
  pthread_mutex_unlock(&edit->lock);
}

void edit_clear(struct edit *edit) {
  pthread_mutex_lock(&edit->lock);
  if (edit->api) put(CLEAR_SCREEN);
  if (is_shown(edit)) show(edit);
  pthread_mutex_unlock(&edit->lock);
}
