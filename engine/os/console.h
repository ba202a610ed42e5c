// The terminal that this process was started on, handed over whole: every key comes as bytes
// (EV_INPUT), none is a signal or an echo. Whatever way this process goes but SIGKILL, the terminal
// gets its attributes back.
#pragma once
#include "loop/loop.h"

// EV_INPUT; its id is the console's. Without bytes: the terminal is gone.
struct input_event {
  struct event event;
  size_t size;
  char bytes[];
};

struct console;

struct console *console_create(struct loop *loop);
void console_destroy(struct console *console); // NULL is fine; gives the terminal back

// 0 and its id, or -errno: -ENOTTY: stdin or stdout is no terminal; -EBUSY: it is open;
// -EAGAIN: another job is in the terminal's foreground, and taking it away would disturb that.
int console_open(struct console *console, uint64_t *id);
bool console_close(struct console *console, uint64_t id); // false: no such id
// Gives the terminal back and stops this process, as Ctrl-Z does; comes back when it is continued.
void console_suspend(struct console *console);
// Whoever had the terminal meanwhile may have changed it: takes it again. False: it is another's.
bool console_resume(struct console *console);
