// Lines from whoever sits at the terminal, edited with libedit, or from a pipe or file as they are.
// A thread of its own reads, so that editing never waits for the loop nor the loop for keys; what
// is written meanwhile goes above the line that is being typed.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"

enum edit_what {
  EDIT_LINE, // a line without its newline
  EDIT_END,  // there are no more: end of the file, or Ctrl-D on an empty line
  EDIT_TAB,  // the line so far; its owner may answer with edit_complete
  EDIT_WHATS
};

// The event EV_EDIT.
struct edit_event {
  struct event event;
  enum edit_what what;
  size_t size, cursor; // bytes of text, and how many of them are before the cursor
  char text[];
};

struct edit;

// Whether there is what lines are edited with; if not, *why says it for people.
bool edit_available(const char **why);

// Standard input and output; `editing` needs both to be a terminal. One at a time in a process. On
// success *id is that of its events. -ENOSYS: no libedit, *why says it for people; else -errno.
int edit_open(struct loop *loop, bool editing, struct edit **result, uint64_t *id,
              const char **why);
// Ends what is being read and gives the terminal its modes back. NULL is fine.
void edit_destroy(struct edit *edit);

// Asks for a line; one at a time. What is between two '\1' in the prompt takes no columns.
void edit_read(struct edit *edit, const char *prompt);
// Gives up the line that is asked for, writing `mark` behind it; one that was typed and not yet
// told of, too. False: none was asked for.
bool edit_cancel(struct edit *edit, const char *mark);
// Whether something stands in the line that is being typed.
bool edit_typed(struct edit *edit);
// Writes above the line that is being typed; 0 or -errno.
int edit_write(struct edit *edit, const char *bytes, size_t size);
// A line that the arrow keys give back.
void edit_remember(struct edit *edit, const char *text);
// Answers EDIT_TAB: takes `back` characters away before the cursor and inserts `text`. False: the
// text before the cursor isn't `before` any more, nothing is done.
bool edit_complete(struct edit *edit, const char *before, int back, const char *text);
// Stops this process as Ctrl-Z does, with the terminal's modes given back until it goes on.
void edit_suspend(struct edit *edit);
// This process goes on after a stop that it was not asked for: the terminal may have other modes.
void edit_resume(struct edit *edit);
// The terminal has another size.
void edit_resize(struct edit *edit);
// Clears the screen; the line that is being typed stays.
void edit_clear(struct edit *edit);
