// A terminal for a program: a pseudo-terminal, of which the program has one end as its controlling
// terminal and we the other.
#pragma once
#include <sys/types.h>

// In characters. Programs divide by it: neither is ever 0.
struct pty_size {
  unsigned short columns, rows;
};

// fds[0]: our end, fds[1]: the program's. Both are close-on-exec, above 2, and nobody's controlling
// terminal. 0 or -errno.
int pty_open(int fds[2]);
// Before the program begins: `fd` is its end. The terminal understands UTF-8; `owner` may open it
// by name, too ((uid_t)-1: it stays ours).
void pty_prepare(int fd, const struct pty_size *size, uid_t owner);
// `fd` is our end. What runs in front hears SIGWINCH also when the size was that already: whoever
// asks wants it drawn anew. 0 or -errno.
int pty_resize(int fd, const struct pty_size *size);
