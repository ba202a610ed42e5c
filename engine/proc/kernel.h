// The system calls by which processes are made, watched and ended, behind one table: tests put a
// kernel of their own there, one that denies a fork or hands out a pid twice.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

// Every function returns a result ≥ 0 or -errno, and starts again after EINTR.
struct kernel {
  // Runs `child(argument)` in a new process that shares our memory on a stack of its own; comes
  // back when that process has executed a program or ended. All signals must be blocked. Returns
  // the pid, and in *pidfd a close-on-exec descriptor of it. With share_files the child has our
  // very descriptors, not a copy of them, until it takes a table of its own.
  int (*spawn)(int (*child)(void *argument), void *argument, void *stack_top, bool share_files,
               int *pidfd);
  // As waitid(2); info->si_pid is 0 when there was nothing to tell. usage may be NULL.
  int (*waitid)(idtype_t type, id_t id, siginfo_t *info, int options, struct rusage *usage);
  int (*pidfd_open)(pid_t pid);
  int (*pidfd_signal)(int pidfd, int signo);
  int (*kill)(pid_t pid, int signo);
  int (*pipe)(int fds[2]);                  // both ends close-on-exec
  int (*pty)(int fds[2]);                   // as pty_open
  int (*open)(const char *path, int flags); // read only, of files below /proc and of /dev/null
};

extern const struct kernel kernel_linux;
