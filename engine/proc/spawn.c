#include "proc/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

enum { STACK_SIZE = 64 * 1024, LIMITS_MAX = 32, SPARE_MAX = 512 };

struct spawner {
  const struct kernel *kernel;
  char *stack;  // its lowest page is a guard
  int null_fd;  // /dev/null, opened at first need
  int slots[3]; // low descriptors, kept so that a child's table can be small; -1: none
  struct rlimit nofile;
  bool nofile_raised;
  bool crowded; // more than half of all descriptors have been in use
  char *default_path;
  struct stage stage; // of the spawn under way: too large for our own stack
};

static int open_null(struct spawner *spawner) {
  if (spawner->null_fd < 0) spawner->null_fd = spawner->kernel->open("/dev/null", O_RDWR);
  if (spawner->null_fd >= 0 && spawner->null_fd < 3) {
    int moved = fcntl(spawner->null_fd, F_DUPFD_CLOEXEC, 3);
    int error = errno;
    close(spawner->null_fd);
    spawner->null_fd = moved < 0 ? -error : moved;
  }
  return spawner->null_fd;
}

static void close_slots(struct spawner *spawner) {
  for (int i = 0; i < 3; i++)
    if (spawner->slots[i] >= 0) close(spawner->slots[i]);
  for (int i = 0; i < 3; i++) spawner->slots[i] = -1;
}

// Only where the kernel can close all descriptors above a number may a child share our table.
static void reserve_slots(struct spawner *spawner) {
  spawner->slots[0] = spawner->slots[1] = spawner->slots[2] = -1;
  int null_fd = open_null(spawner);
  if (null_fd < 0 || syscall(SYS_close_range, ~0U, ~0U, 0) != 0) return;
  for (int i = 0; i < 3; i++) {
    spawner->slots[i] = fcntl(null_fd, F_DUPFD_CLOEXEC, 3);
    if (spawner->slots[i] < 0) close_slots(spawner);
    if (spawner->slots[i] < 0) return;
  }
}

// The child's ends go to the slots; behind the spawn nothing of them may stay there, or the pipes
// would never end.
static void fill_slots(struct spawner *spawner) {
  struct stage *stage = &spawner->stage;
  stage->shared_above = -1;
  if (spawner->slots[0] < 0 || stage->listen_count) return; // those are above
  for (int i = 0; i < 3; i++) {
    if (stage->stdio_fds[i] < 0) continue;
    dup3(stage->stdio_fds[i], spawner->slots[i], O_CLOEXEC);
    stage->stdio_fds[i] = spawner->slots[i];
  }
  stage->shared_above = spawner->slots[2];
}

static void empty_slots(struct spawner *spawner) {
  for (int i = 0; i < 3 && spawner->stage.shared_above >= 0; i++)
    if (spawner->stage.stdio_fds[i] >= 0) dup3(spawner->null_fd, spawner->slots[i], O_CLOEXEC);
}

struct spawner *spawner_create(const struct kernel *kernel) {
  struct spawner *spawner = mem_new(sizeof *spawner);
  spawner->kernel = kernel;
  spawner->null_fd = -1;
  reserve_slots(spawner);
  void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) abort();
  mprotect(stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
  spawner->stack = stack;
  getrlimit(RLIMIT_NOFILE, &spawner->nofile);
  char path[256];
  size_t size = confstr(_CS_PATH, path, sizeof path);
  spawner->default_path = mem_strdup(size && size <= sizeof path ? path : "/bin:/usr/bin");
  return spawner;
}

void spawner_destroy(struct spawner *spawner) {
  if (!spawner) return;
  close_slots(spawner);
  if (spawner->null_fd >= 0) close(spawner->null_fd);
  munmap(spawner->stack, STACK_SIZE);
  free(spawner->default_path);
  free(spawner);
}

void spawner_raise_nofile(struct spawner *spawner) {
  struct rlimit raised = {spawner->nofile.rlim_max, spawner->nofile.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) spawner->nofile_raised = true;
}

// The pipes of one spawn: ours go to the result, theirs are closed when the child has them.
struct ends {
  int theirs[3], ours[3];
};

static void close_all(int fds[3]) {
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) close(fds[i]);
  for (int i = 0; i < 3; i++) fds[i] = -1;
}

static int open_pipe(struct spawner *spawner, struct ends *ends, int i) {
  int fds[2];
  int error = spawner->kernel->pipe(fds);
  if (error < 0) return error;
  ends->theirs[i] = fds[i == 0 ? 0 : 1];
  ends->ours[i] = fds[i == 0 ? 1 : 0];
  fcntl(ends->ours[i], F_SETFL, O_NONBLOCK);
  return 0;
}

// Reading and writing are watched apart, which takes two descriptors.
static int open_terminal(struct spawner *spawner, const struct spawn_spec *spec,
                         struct ends *ends) {
  int fds[2];
  int error = spawner->kernel->pty(fds);
  if (error < 0) return error;
  ends->ours[1] = fds[0];
  ends->theirs[0] = fds[1];
  ends->ours[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
  if (ends->ours[0] < 0) return -errno;
  fcntl(fds[0], F_SETFL, O_RDWR | O_NONBLOCK);
  pty_prepare(fds[1], spec->terminal, spec->set_user ? spec->uid : (uid_t)-1);
  for (int i = 0; i < 3; i++) spawner->stage.stdio_fds[i] = fds[1];
  return 0;
}

static int open_stdio(struct spawner *spawner, const struct spawn_spec *spec, struct ends *ends) {
  if (spec->terminal) return open_terminal(spawner, spec, ends);
  for (int i = 0; i < 3; i++) {
    int fd = -1;
    if (spec->stdio[i] == SPAWN_NULL) {
      fd = open_null(spawner);
      if (fd < 0) return fd;
    } else if (spec->stdio[i] != SPAWN_INHERIT) {
      int error = open_pipe(spawner, ends, i);
      if (error < 0) return error;
      fd = ends->theirs[i];
    }
    spawner->stage.stdio_fds[i] = fd;
  }
  return 0;
}

static bool can_open(int fd, unsigned count) {
  int fds[SPARE_MAX];
  unsigned opened = 0;
  if (count > SPARE_MAX) count = SPARE_MAX;
  while (opened < count && (fds[opened] = fcntl(fd, F_DUPFD_CLOEXEC, 3)) >= 0) opened++;
  for (unsigned i = 0; i < opened; i++) close(fds[i]);
  return opened == count;
}

// Descriptors get the lowest free number: as long as none has been a high one there are enough.
static bool leaves_enough(struct spawner *spawner, const struct spawn_spec *spec,
                          const struct ends *ends) {
  const struct rlimit *limit = &spawner->nofile;
  rlim_t most = spawner->nofile_raised ? limit->rlim_max : limit->rlim_cur;
  int highest = -1;
  for (int i = 0; i < 3; i++)
    if (ends->ours[i] > highest) highest = ends->ours[i];
  if (highest >= 0 && (rlim_t)highest > most / 2) spawner->crowded = true;
  return highest < 0 || !spawner->crowded || can_open(highest, spec->spare_fds);
}

static const char *path_of(const struct spawner *spawner, const struct spawn_spec *spec) {
  if (spec->path) return spec->path;
  for (const char *const *entry = spec->env; *entry; entry++)
    if (strncmp(*entry, "PATH=", 5) == 0) return *entry + 5;
  return spawner->default_path;
}

// One who isn't root can't change to himself either, as far as groups are concerned; there is no
// need to.
static void fill_user(struct stage *stage, const struct spawn_spec *spec) {
  bool already = geteuid() != 0 && spec->set_user && spec->uid == geteuid() &&
                 (!spec->set_group || spec->gid == getegid());
  stage->set_user = spec->set_user && !already;
  stage->set_group = spec->set_group && !already;
  stage->set_groups = spec->set_groups && !already;
  stage->uid = spec->uid;
  stage->gid = spec->gid;
  stage->groups = spec->groups;
  stage->group_count = spec->group_count;
}

// The limits found at our start stand before those that are asked for.
static void fill_limits(struct spawner *spawner, const struct spawn_spec *spec,
                        struct stage_limit *limits) {
  size_t count = 0;
  if (spawner->nofile_raised)
    limits[count++] = (struct stage_limit){RLIMIT_NOFILE, spawner->nofile};
  for (size_t i = 0; i < spec->limit_count && count < LIMITS_MAX; i++)
    limits[count++] = spec->limits[i];
  spawner->stage.limits = limits;
  spawner->stage.limit_count = count;
}

// Where the child is told its own pid the environment gets one more line, which the child writes.
static const char **fill_listeners(struct stage *stage, const struct spawn_spec *spec) {
  stage->listen_fds = spec->listen_fds;
  stage->listen_count = spec->listen_count;
  if (!spec->listen_count) return NULL;
  size_t count = 0;
  while (spec->env[count]) count++;
  const char **env = mem_new((count + 2) * sizeof *env);
  memcpy(env, spec->env, count * sizeof *env);
  strcpy(stage->listen_pid, STAGE_LISTEN_PID);
  env[count] = stage->listen_pid;
  env[count + 1] = NULL;
  stage->env = env;
  return env;
}

static void fill(struct spawner *spawner, const struct spawn_spec *spec) {
  struct stage *stage = &spawner->stage;
  stage->argv = spec->argv;
  stage->env = spec->env;
  stage->path = path_of(spawner, spec);
  stage->cwd = spec->cwd;
  stage->session = spec->session || spec->terminal;
  stage->terminal = spec->terminal;
  stage->umask = spec->umask;
  stage->set_nice = spec->set_nice;
  stage->nice = spec->nice;
  stage->pdeathsig = spec->pdeathsig;
  stage->parent = getpid();
  stage->step = STAGE_FORK;
  stage->error = 0;
  stage->file[0] = '\0';
  fill_user(stage, spec);
}

// All signals are held back, the library's own too: none may find the child in our memory.
static int clone_child(struct spawner *spawner, int *pidfd) {
  sigset_t all, before;
  memset(&all, 0xff, sizeof all);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, _NSIG / 8);
  fill_slots(spawner);
  int pid = spawner->kernel->spawn(stage_run, &spawner->stage, spawner->stack + STACK_SIZE,
                                   spawner->stage.shared_above >= 0, pidfd);
  empty_slots(spawner);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, _NSIG / 8);
  return pid;
}

static int start(struct spawner *spawner, struct spawn_result *result) {
  struct stage *stage = &spawner->stage;
  int pid = clone_child(spawner, &result->pidfd);
  if (pid < 0) {
    stage->error = -pid;
    return pid;
  }
  if (stage->error) {
    siginfo_t info;
    spawner->kernel->waitid(P_PID, (id_t)pid, &info, WEXITED, NULL);
    close(result->pidfd);
    return -stage->error;
  }
  result->pid = pid;
  return 0;
}

int spawn_run(struct spawner *spawner, const struct spawn_spec *spec, struct spawn_result *result,
              struct spawn_failure *failure) {
  struct ends ends = {{-1, -1, -1}, {-1, -1, -1}};
  struct stage_limit limits[LIMITS_MAX];
  char oom_score_adj[16];
  *result = (struct spawn_result){.pid = -1, .pidfd = -1, .fds = {-1, -1, -1}};
  fill(spawner, spec);
  const char **env = fill_listeners(&spawner->stage, spec);
  fill_limits(spawner, spec, limits);
  snprintf(oom_score_adj, sizeof oom_score_adj, "%d", spec->oom_score_adj);
  spawner->stage.oom_score_adj = spec->set_oom_score_adj ? oom_score_adj : NULL;

  int error = open_stdio(spawner, spec, &ends);
  if (error == 0 && !leaves_enough(spawner, spec, &ends)) error = -EMFILE;
  if (error < 0) {
    spawner->stage.step = STAGE_STDIO;
    spawner->stage.error = -error;
  } else {
    error = start(spawner, result);
  }
  close_all(ends.theirs);
  free(env);
  if (error == 0) {
    memcpy(result->fds, ends.ours, sizeof ends.ours);
    return 0;
  }
  close_all(ends.ours);
  spawn_explain(spec, &spawner->stage, failure);
  return error;
}

static const char *const step_names[] = {
    [STAGE_FORK] = "fork",   [STAGE_FILES] = "files",       [STAGE_SESSION] = "session",
    [STAGE_STDIO] = "stdio", [STAGE_LISTEN] = "listen",     [STAGE_UMASK] = "umask",
    [STAGE_NICE] = "nice",   [STAGE_OOM] = "oom_score_adj", [STAGE_LIMITS] = "limits",
    [STAGE_USER] = "user",   [STAGE_CWD] = "cwd",           [STAGE_PDEATHSIG] = "pdeathsig",
    [STAGE_EXEC] = "exec",
};
static_assert(sizeof step_names / sizeof *step_names == STAGE_STEPS, "one name a step");

const char *spawn_step_name(enum stage_step step) {
  return step_names[step];
}
