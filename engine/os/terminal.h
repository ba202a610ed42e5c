// The terminal this process may have.
#pragma once
#include <sys/types.h>

// Of the first of stdout, stderr, stdin that is one; 80 and 24 where none tells.
void terminal_read_size(int *columns, int *rows);
// Gives the terminal's foreground to a process group, without being stopped for it. 0 or -errno;
// 0 too when there is no terminal.
int terminal_foreground(pid_t pgid);
