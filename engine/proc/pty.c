#include "proc/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

// By our end where the kernel can, for the directory of terminals may be another's.
static int open_other_end(int fd) {
  int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  char name[64];
#ifdef TIOCGPTPEER
  int other = ioctl(fd, TIOCGPTPEER, flags);
  if (other >= 0) return other;
#endif
  int error = ptsname_r(fd, name, sizeof name);
  return error ? -error : fd_open(name, flags, 0);
}

// A descriptor below 3 would be in the way of the child's own three.
static int above_standard(int fd) {
  if (fd < 0 || fd > 2) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  int error = errno;
  close(fd);
  return moved < 0 ? -error : moved;
}

int pty_open(int fds[2]) {
  fds[0] = above_standard(fd_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0));
  if (fds[0] < 0) return fds[0];
  fds[1] = unlockpt(fds[0]) < 0 ? -errno : above_standard(open_other_end(fds[0]));
  if (fds[1] >= 0) return 0;
  close(fds[0]);
  return fds[1];
}

static struct winsize winsize_of(const struct pty_size *size) {
  return (struct winsize){.ws_col = size->columns, .ws_row = size->rows};
}

void pty_prepare(int fd, const struct pty_size *size, uid_t owner) {
  struct winsize winsize = winsize_of(size);
  struct termios termios;
  ioctl(fd, TIOCSWINSZ, &winsize);
  if (tcgetattr(fd, &termios) == 0) {
    termios.c_iflag |= IUTF8;
    tcsetattr(fd, TCSANOW, &termios);
  }
  // Only root can, and only root starts programs of others.
  if (owner != (uid_t)-1 && fchown(fd, owner, (gid_t)-1) < 0) return;
}

int pty_resize(int fd, const struct pty_size *size) {
  struct winsize before, after = winsize_of(size);
  if (ioctl(fd, TIOCGWINSZ, &before) < 0) return -errno;
  if (before.ws_col != after.ws_col || before.ws_row != after.ws_row)
    return ioctl(fd, TIOCSWINSZ, &after) < 0 ? -errno : 0; // the kernel tells them
  pid_t foreground;
  if (ioctl(fd, TIOCGPGRP, &foreground) == 0 && foreground > 1) kill(-foreground, SIGWINCH);
  return 0;
}
