#include "tty/edit_thread.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/fd.h"

#define KEPT_LINES   1000
#define READ_SIZE    (64u << 10)
#define ESCAPE       '\x1b'
#define CTRL_D       '\x04'
#define REPLACEMENT  L'\xFFFD'
#define PASTE_END    "[201~"
#define PASTE_ON     "\x1b[?2004h"
#define PASTE_OFF    "\x1b[?2004l"
#define PROMPT_QUOTE '\1'

static void tell(struct edit *edit, enum edit_what what, const char *text, size_t size,
                 size_t cursor) {
  struct edit_event *event = mem_new(sizeof *event + size + 1);
  event->event.kind = EV_EDIT;
  event->event.id = edit->id;
  event->what = what;
  event->size = size;
  event->cursor = cursor;
  if (size) memcpy(event->text, text, size);
  if (edit->last)
    edit->last->event.next = &event->event;
  else
    edit->first = event;
  edit->last = event;
  uv_async_send(&edit->news);
}

// False: what was asked for is given up. The lock is open meanwhile.
static bool wait_for_input(struct edit *edit) {
  struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = edit->wake_fd, .events = POLLIN}};
  pthread_mutex_unlock(&edit->lock);
  while (poll(fds, 2, -1) < 0 && errno == EINTR) {}
  pthread_mutex_lock(&edit->lock);
  return !edit->closing && !edit->cancelled;
}

// One at a time: what follows the last line that is asked for stays for who reads next. What was
// typed before the terminal was set for editing came through lines of its own: there Ctrl-D is an
// end of the file, which is read as a NUL.
static bool next_byte(struct edit *edit, char *byte) {
  if (edit->typed_ahead < 0 && ioctl(STDIN_FILENO, FIONREAD, &edit->typed_ahead))
    edit->typed_ahead = 0;
  if (!wait_for_input(edit) || fd_read(STDIN_FILENO, byte, 1) != 1) return false;
  if (edit->typed_ahead > 0) {
    edit->typed_ahead--;
    if (*byte == '\0') *byte = CTRL_D;
  }
  return true;
}

// What a key would do is only text in what is pasted; its end is told by a sequence. True: *byte is
// text of it.
static bool pasted(struct edit *edit, char *byte) {
  if (*byte == ESCAPE) {
    for (const char *at = PASTE_END; *at; at++)
      if (!next_byte(edit, byte) || *byte != *at) return false;
    edit->pasting = false;
    return false;
  }
  if (*byte == '\r') *byte = '\n';
  if (*byte == '\t') *byte = ' ';
  return (unsigned char)*byte >= ' ' || *byte == '\n';
}

static struct edit *owner_of(EditLine *line);

// What libedit reads by: 1 and a character, or 0: no more.
static int next_character(EditLine *line, wchar_t *character) {
  struct edit *edit = owner_of(line);
  char bytes[MB_LEN_MAX];
  for (size_t count = 0; count < sizeof bytes;) {
    if (!next_byte(edit, &bytes[count])) return 0;
    if (edit->pasting && !pasted(edit, &bytes[count])) continue;
    mbstate_t state = {0};
    size_t length = mbrtowc(character, bytes, ++count, &state);
    if (length == (size_t)-2) continue;
    if (length == (size_t)-1) *character = REPLACEMENT;
    return 1;
  }
  *character = REPLACEMENT;
  return 1;
}

static const struct edit_api *api_of(void) {
  const char *why;
  return edit_api_get(&why);
}

static struct edit *owner_of(EditLine *line) {
  void *owner = NULL;
  api_of()->el_get(line, EL_CLIENTDATA, &owner);
  return owner;
}

static char *prompt_of(EditLine *line) {
  return owner_of(line)->prompt;
}

static unsigned char on_tab(EditLine *line, int character) {
  (void)character;
  struct edit *edit = owner_of(line);
  const LineInfo *info = edit->api->el_line(line);
  tell(edit, EDIT_TAB, info->buffer, (size_t)(info->lastchar - info->buffer),
       (size_t)(info->cursor - info->buffer));
  return CC_NORM;
}

static unsigned char on_paste(EditLine *line, int character) {
  (void)character;
  owner_of(line)->pasting = true;
  return CC_NORM;
}

// What hands expect besides libedit's own keys.
static const char *const keys[][2] = {
    {"\\t", "pactlua-tab"},
    {"\\e[200~", "pactlua-paste"},
    {"^W", "ed-delete-prev-word"},
    {"^R", "em-inc-search-prev"},
    {"\\e[A", "ed-search-prev-history"},
    {"\\eOA", "ed-search-prev-history"},
    {"\\e[B", "ed-search-next-history"},
    {"\\eOB", "ed-search-next-history"},
    {"\\e[1~", "ed-move-to-beg"},
    {"\\e[4~", "ed-move-to-end"},
    {"\\e[H", "ed-move-to-beg"},
    {"\\e[F", "ed-move-to-end"},
    {"\\eOH", "ed-move-to-beg"},
    {"\\eOF", "ed-move-to-end"},
    {"\\e[3~", "ed-delete-next-char"},
    {"\\e[1;5C", "em-next-word"},
    {"\\e[1;5D", "ed-prev-word"},
};

int edit_thread_prepare(struct edit *edit) {
  const struct edit_api *api = edit->api;
  edit->in = fdopen(dup(STDIN_FILENO), "r");
  edit->out = fdopen(dup(STDOUT_FILENO), "w");
  if (!edit->in || !edit->out) return -ENOMEM;
  edit->line = api->el_init("pactlua", edit->in, edit->out, edit->out);
  edit->history = api->history_init();
  if (!edit->line || !edit->history) return -ENOMEM;
  HistEvent event;
  api->history(edit->history, &event, H_SETSIZE, KEPT_LINES);
  api->history(edit->history, &event, H_SETUNIQUE, 1);
  api->el_set(edit->line, EL_CLIENTDATA, edit);
  api->el_set(edit->line, EL_SIGNAL, 0);
  api->el_set(edit->line, EL_EDITOR, "emacs");
  api->el_set(edit->line, EL_HIST, api->history, edit->history);
  api->el_set(edit->line, EL_PROMPT_ESC, prompt_of, PROMPT_QUOTE);
  api->el_set(edit->line, EL_GETCFN, next_character);
  // the other of the two functions copies these names, and never frees them
  api->el_wset(edit->line, EL_ADDFN, L"pactlua-tab", L"completes", on_tab);
  api->el_wset(edit->line, EL_ADDFN, L"pactlua-paste", L"pastes", on_paste);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    api->el_set(edit->line, EL_BIND, keys[i][0], keys[i][1], NULL);
  api->el_source(edit->line, NULL);
  return 0;
}

static void read_edited(struct edit *edit) {
  int size = 0;
  edit->typed_ahead = -1;
  fd_write_all(STDOUT_FILENO, PASTE_ON, sizeof PASTE_ON - 1);
  const char *text = edit->api->el_gets(edit->line, &size);
  fd_write_all(STDOUT_FILENO, PASTE_OFF, sizeof PASTE_OFF - 1);
  if (edit->cancelled || edit->closing) return;
  if (!text || size <= 0) {
    tell(edit, EDIT_END, NULL, 0, 0);
    return;
  }
  if (text[size - 1] == '\n') size--;
  tell(edit, EDIT_LINE, text, (size_t)size, (size_t)size);
}

static bool take_line(struct edit *edit) {
  struct bytes *rest = &edit->rest;
  char *newline = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
  if (!newline) return false;
  size_t size = (size_t)(newline - rest->data), taken = size + 1;
  tell(edit, EDIT_LINE, rest->data, size, size);
  memmove(rest->data, rest->data + taken, rest->size - taken);
  rest->size -= taken;
  return true;
}

static void read_plain(struct edit *edit) {
  fd_write_all(STDOUT_FILENO, edit->prompt, strlen(edit->prompt));
  while (!take_line(edit)) {
    if (edit->at_end) {
      if (edit->rest.size)
        tell(edit, EDIT_LINE, edit->rest.data, edit->rest.size, edit->rest.size);
      else
        tell(edit, EDIT_END, NULL, 0, 0);
      edit->rest.size = 0;
      return;
    }
    if (!wait_for_input(edit)) return;
    ssize_t count = fd_read(STDIN_FILENO, bytes_reserve(&edit->rest, READ_SIZE), READ_SIZE);
    if (count > 0)
      edit->rest.size += (size_t)count;
    else
      edit->at_end = true;
  }
}

static void answer(struct edit *edit) {
  edit->state = EDIT_READING;
  if (edit->api)
    read_edited(edit);
  else
    read_plain(edit);
  if (edit->cancelled) {
    uint64_t ignored;
    if (fd_read(edit->wake_fd, &ignored, sizeof ignored) > 0) edit->cancelled = false;
    edit->rest.size = edit->api ? edit->rest.size : 0;
    edit->pasting = false;
  }
  edit->state = EDIT_IDLE;
  pthread_cond_signal(&edit->idle);
}

void *edit_thread_run(void *context) {
  struct edit *edit = context;
  pthread_mutex_lock(&edit->lock);
  while (!edit->closing) {
    if (edit->state == EDIT_ASKED)
      answer(edit);
    else
      pthread_cond_wait(&edit->asked, &edit->lock);
  }
  edit->finished = true;
  pthread_cond_signal(&edit->idle);
  pthread_mutex_unlock(&edit->lock);
  return NULL;
}
