// The thread behind tty/edit.h, and what it shows to the loop's.
#pragma once
#include <pthread.h>
#include <termios.h>

#include "log/bytes.h"
#include "tty/edit.h"
#include "tty/edit_api.h"

enum edit_state {
  EDIT_IDLE,   // nobody has asked for a line
  EDIT_ASKED,  // the thread hasn't seen it yet
  EDIT_READING // the prompt is there; the thread waits for keys or deals with one
};

// All of it is under the lock; the thread lets go of it only while it waits.
struct edit {
  struct loop *loop;
  uint64_t id;
  uv_async_t news;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t asked, idle;
  int wake_fd; // an eventfd: ends a wait for keys
  enum edit_state state;
  bool closing, cancelled, finished;
  struct edit_event *first, *last; // for the loop
  char *prompt;
  struct termios before; // the terminal's modes at the beginning

  const struct edit_api *api; // NULL: lines are read as they are
  EditLine *line;
  History *history;
  FILE *in, *out;
  bool pasting;
  int typed_ahead; // bytes that came before the terminal was set for editing; -1: not looked at

  struct bytes rest; // read and not yet handed out as a line
  bool at_end;
};

void *edit_thread_run(void *context);
// Makes libedit's objects; 0 or -ENOMEM.
int edit_thread_prepare(struct edit *edit);
