#include "os/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

void terminal_read_size(int *columns, int *rows) {
  static const int fds[] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};
  *columns = 80;
  *rows = 24;
  for (int i = 0; i < 3; i++) {
    struct winsize size;
    if (ioctl(fds[i], TIOCGWINSZ, &size) < 0) continue;
    if (size.ws_col) *columns = size.ws_col;
    if (size.ws_row) *rows = size.ws_row;
    return;
  }
}

int terminal_foreground(pid_t pgid) {
  int fd = fd_open("/dev/tty", O_RDWR | O_NOCTTY, 0);
  if (fd < 0) return 0;
  sigset_t ttou, before; // the kernel stops a background process that asks, unless it is blocked
  sigemptyset(&ttou);
  sigaddset(&ttou, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &ttou, &before);
  int result = tcsetpgrp(fd, pgid) < 0 ? -errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(fd);
  return result;
}
