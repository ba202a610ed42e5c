#include "proc/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/pty.h"

static int result(long value) {
  return value < 0 ? -errno : (int)value;
}

static int linux_spawn(int (*child)(void *), void *argument, void *stack_top, bool share_files,
                       int *pidfd) {
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | (share_files ? CLONE_FILES : 0);
  return result(clone(child, stack_top, flags | SIGCHLD, argument, pidfd));
}

static int linux_waitid(idtype_t type, id_t id, siginfo_t *info, int options,
                        struct rusage *usage) {
  long value;
  memset(info, 0, sizeof *info);
  do {
    value = syscall(SYS_waitid, type, id, info, options, usage);
  } while (value < 0 && errno == EINTR);
  return result(value);
}

static int linux_pidfd_open(pid_t pid) {
  return result(syscall(SYS_pidfd_open, pid, 0));
}

static int linux_pidfd_signal(int pidfd, int signo) {
  return result(syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0));
}

static int linux_kill(pid_t pid, int signo) {
  return result(kill(pid, signo));
}

// A descriptor below 3 would be in the way of the child's own three.
static int above_standard(int fd) {
  if (fd > 2) return fd;
  int moved = result(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  close(fd);
  return moved;
}

static int linux_pipe(int fds[2]) {
  if (pipe2(fds, O_CLOEXEC) < 0) return -errno;
  if (fds[0] > 2 && fds[1] > 2) return 0;
  for (int i = 0; i < 2; i++) fds[i] = above_standard(fds[i]);
  int error = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : 0;
  for (int i = 0; error && i < 2; i++)
    if (fds[i] >= 0) close(fds[i]);
  return error;
}

static int linux_open(const char *path, int flags) {
  long fd;
  do {
    fd = open(path, flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return result(fd);
}

const struct kernel kernel_linux = {
    .spawn = linux_spawn,
    .waitid = linux_waitid,
    .pidfd_open = linux_pidfd_open,
    .pidfd_signal = linux_pidfd_signal,
    .kill = linux_kill,
    .pipe = linux_pipe,
    .pty = pty_open,
    .open = linux_open,
};
