#include "proc/stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A handler must not run here: it would do so in the parent's memory. By system call: the library
// keeps two signals to itself, which may have come to us ignored all the same.
static void reset_signals(void) {
  struct {
    unsigned long handler; // the first field on every machine, and 0 is the default
    unsigned long others[7];
  } action;
  for (int signo = 1; signo < _NSIG; signo++) {
    if (syscall(SYS_rt_sigaction, signo, NULL, &action, _NSIG / 8) < 0 || !action.handler) continue;
    memset(&action, 0, sizeof action);
    syscall(SYS_rt_sigaction, signo, &action, NULL, _NSIG / 8);
  }
}

// To copy thousands of descriptors only to close them costs more than all else here.
static int take_files(struct stage *stage) {
  if (stage->shared_above < 0) return 0;
  unsigned first = (unsigned)stage->shared_above + 1;
  return (int)syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_UNSHARE);
}

static int take_session(struct stage *stage) {
  reset_signals();
  if (stage->session && setsid() < 0) return -1;
  return stage->terminal ? (int)syscall(SYS_ioctl, stage->stdio_fds[0], TIOCSCTTY, 0) : 0;
}

// Where the kernel has no close_range every descriptor of ours is close-on-exec anyway; this
// catches those that we were born with.
static void mark_close_on_exec(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = 3; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int take_stdio(struct stage *stage) {
  for (int i = 0; i < 3; i++) {
    int fd = stage->stdio_fds[i];
    if (fd >= 0 ? dup2(fd, i) < 0 : fcntl(i, F_SETFD, 0) < 0 && errno != EBADF) return -1;
  }
  mark_close_on_exec();
  return 0;
}

// All are first out of the way of each other, above the numbers that they will have.
static int move_listeners(const struct stage *stage, int *moved) {
  for (size_t i = 0; i < stage->listen_count; i++) {
    moved[i] = fcntl(stage->listen_fds[i], F_DUPFD_CLOEXEC, 3 + (int)stage->listen_count);
    if (moved[i] < 0) return -1;
  }
  return 0;
}

static void write_listen_pid(struct stage *stage) {
  char digits[STAGE_LISTEN_PID_SIZE], *to = stage->listen_pid + sizeof STAGE_LISTEN_PID - 1;
  unsigned long pid = (unsigned long)syscall(SYS_getpid);
  size_t count = 0;
  memcpy(stage->listen_pid, STAGE_LISTEN_PID, sizeof STAGE_LISTEN_PID);
  do digits[count++] = (char)('0' + pid % 10);
  while (pid /= 10);
  while (count) *to++ = digits[--count];
  *to = '\0';
}

// As sd_listen_fds(3) has it.
static int take_listeners(struct stage *stage) {
  int moved[STAGE_LISTEN_MAX];
  if (!stage->listen_count) return 0;
  if (move_listeners(stage, moved) < 0) return -1;
  for (size_t i = 0; i < stage->listen_count; i++)
    if (dup2(moved[i], 3 + (int)i) < 0) return -1;
  write_listen_pid(stage);
  return 0;
}

static int take_umask(struct stage *stage) {
  if (stage->umask >= 0) umask((mode_t)stage->umask);
  return 0;
}

static int take_nice(struct stage *stage) {
  return stage->set_nice ? (int)syscall(SYS_setpriority, PRIO_PROCESS, 0, stage->nice) : 0;
}

static int take_oom(struct stage *stage) {
  if (!stage->oom_score_adj) return 0;
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = write(fd, stage->oom_score_adj, strlen(stage->oom_score_adj)) < 0 ? -1 : 0;
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static int take_limits(struct stage *stage) {
  for (size_t i = 0; i < stage->limit_count; i++)
    if (syscall(SYS_prlimit64, 0, stage->limits[i].resource, &stage->limits[i].value, NULL) < 0)
      return -1;
  return 0;
}

// By system call: the library's functions would change the parent's other threads too.
static int take_user(struct stage *stage) {
  if (stage->set_groups && syscall(SYS_setgroups, stage->group_count, stage->groups) < 0) return -1;
  if (stage->set_group && syscall(SYS_setresgid, stage->gid, stage->gid, stage->gid) < 0) return -1;
  if (stage->set_user && syscall(SYS_setresuid, stage->uid, stage->uid, stage->uid) < 0) return -1;
  return 0;
}

static int take_cwd(struct stage *stage) {
  return stage->cwd ? chdir(stage->cwd) : 0;
}

// Behind the change of user, which clears it. A parent that died before it was set sends nothing.
static int take_pdeathsig(struct stage *stage) {
  if (!stage->pdeathsig) return 0;
  if (prctl(PR_SET_PDEATHSIG, (unsigned long)stage->pdeathsig, 0, 0, 0) < 0) return -1;
  if (syscall(SYS_getppid) == stage->parent) return 0;
  errno = ESRCH;
  return -1;
}

static void try_exec(struct stage *stage) {
  execve(stage->file, (char *const *)stage->argv, (char *const *)stage->env);
}

// Errors of one directory that say nothing about the next.
static bool not_here(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ENODEV ||
         error == ESTALE || error == ETIMEDOUT || error == ENAMETOOLONG;
}

static bool join(struct stage *stage, const char *dir, size_t dir_size, const char *name) {
  size_t name_size = strlen(name), at = 0;
  if (dir_size + 1 + name_size >= sizeof stage->file) return false;
  memcpy(stage->file, dir, dir_size);
  at = dir_size;
  if (at) stage->file[at++] = '/';
  memcpy(stage->file + at, name, name_size + 1);
  return true;
}

static int search_path(struct stage *stage, const char *name) {
  bool refused = false;
  errno = ENOENT;
  for (const char *dir = stage->path;; dir++) {
    size_t size = strcspn(dir, ":");
    if (join(stage, dir, size, name)) {
      try_exec(stage);
      if (!not_here(errno)) return -1;
      if (errno == EACCES) refused = true;
    }
    dir += size;
    if (!*dir) break;
  }
  errno = refused ? EACCES : ENOENT;
  return -1;
}

static int take_exec(struct stage *stage) {
  const char *name = stage->argv[0];
  sigset_t none;
  memset(&none, 0, sizeof none);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, _NSIG / 8);
  if (!*name) {
    errno = ENOENT;
    return -1;
  }
  if (!strchr(name, '/')) return search_path(stage, name);
  if (strlen(name) >= sizeof stage->file) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(stage->file, name, strlen(name) + 1);
  try_exec(stage);
  return -1;
}

static int (*const steps[])(struct stage *) = {
    [STAGE_FORK] = NULL,        [STAGE_FILES] = take_files,      [STAGE_SESSION] = take_session,
    [STAGE_STDIO] = take_stdio, [STAGE_LISTEN] = take_listeners, [STAGE_UMASK] = take_umask,
    [STAGE_NICE] = take_nice,   [STAGE_OOM] = take_oom,          [STAGE_LIMITS] = take_limits,
    [STAGE_USER] = take_user,   [STAGE_CWD] = take_cwd,          [STAGE_PDEATHSIG] = take_pdeathsig,
    [STAGE_EXEC] = take_exec,
};
static_assert(sizeof steps / sizeof *steps == STAGE_STEPS, "one function a step");

int stage_run(void *argument) {
  struct stage *stage = argument;
  for (enum stage_step step = STAGE_FILES; step < STAGE_STEPS; step++) {
    if (steps[step](stage) == 0) continue;
    stage->error = errno;
    stage->step = step;
    return 127;
  }
  return 127;
}
