// The terminal of a process that a signal ends while it has the terminal changed: it gets its
// attributes back, and what was switched on in it is switched off. Nothing can be done of SIGKILL.
#pragma once
#include <stddef.h>
#include <termios.h>

// From here a signal that would end this process gives the terminal on `fd` back first, and then
// ends it as before. Signals that are handled or ignored already are left alone, but for those of a
// fault. One terminal at a time; armed again, the new values hold. `before` is copied.
void rescue_arm(int fd, const struct termios *before);
// What is written to the terminal then; at most RESCUE_WORDS bytes, longer ones are none.
enum { RESCUE_WORDS = 256 };
void rescue_say(const char *bytes, size_t size);
// The terminal is as it was. Not armed: fine.
void rescue_disarm(void);
