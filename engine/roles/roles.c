#include "roles/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/tree_kill.h"
#include "roles/guard.h"

// Descriptors of both sides, before each has closed the other's.
struct joint {
  int link[2];    // the socketpair: front, engine
  int output[2];  // pipes of the engine's stdout and stderr: to read …
  int outputs[2]; // … and to write
  int notes[2];   // the guard's notes to the front: read, write
};

static const struct joint closed = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};

// One word that all three see.
static bool *share_word(void) {
  void *page = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? NULL : page;
}

static int make_pipe(int *read_fd, int *write_fd) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return -errno;
  *read_fd = fds[0];
  *write_fd = fds[1];
  return 0;
}

static int joint_open(struct joint *joint) {
  *joint = closed;
  int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (socketpair(AF_UNIX, kind, 0, joint->link) < 0) return -errno;
  int error = 0;
  for (int i = 0; i < 2 && !error; i++) error = make_pipe(&joint->output[i], &joint->outputs[i]);
  return error ? error : make_pipe(&joint->notes[0], &joint->notes[1]);
}

static void joint_close(struct joint *joint) {
  for (int *fd = (int *)joint; fd < (int *)(joint + 1); fd++) fd_close(fd);
}

static int take(int *fd) {
  int taken = *fd;
  *fd = -1;
  return taken;
}

static int pidfd_of(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

// The engine has no terminal: it reads nothing, and what it writes goes to the front.
static void replace_stdio(const struct joint *joint) {
  int null_fd = fd_open("/dev/null", O_RDWR, 0);
  if (null_fd >= 0) dup2(null_fd, STDIN_FILENO);
  if (null_fd > STDERR_FILENO) close(null_fd);
  dup2(joint->outputs[0], STDOUT_FILENO);
  dup2(joint->outputs[1], STDERR_FILENO);
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

// Whatever else the caller had open is none of the engine's: it may outlive who waits for its end.
static void close_all_but(int one_fd, int other_fd) {
  int kept[] = {one_fd < other_fd ? one_fd : other_fd, one_fd < other_fd ? other_fd : one_fd};
  int from = STDERR_FILENO + 1;
  for (int i = 0; i < 2; i++) {
    if (kept[i] < from) continue;
    if (kept[i] > from) close_range((unsigned)from, (unsigned)kept[i] - 1, 0);
    from = kept[i] + 1;
  }
  close_range((unsigned)from, ~0u, 0);
}

static void become_engine(struct joint *joint, struct front_link *link, pid_t guard_pid,
                          bool *swept) {
  prctl(PR_SET_NAME, "pactlua-engine");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  replace_stdio(joint);
  *link = (struct front_link){
      .fd = take(&joint->link[1]),
      .output_fds = {-1, -1},
      .notes_fd = -1,
      .swept = swept,
      .guard_pid = guard_pid,
      .guard_pidfd = pidfd_of(guard_pid),
  };
  if (getppid() != guard_pid) fd_close(&link->guard_pidfd); // it has ended already
  joint_close(joint);
  close_all_but(link->fd, link->guard_pidfd);
}

// A front in the background goes on writing where the terminal would stop it (`stty tostop`).
static void hold_background_stop(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void become_front(struct joint *joint, struct front_link *link, pid_t guard_pid,
                         bool *swept) {
  *link = (struct front_link){
      .front = true,
      .fd = take(&joint->link[0]),
      .output_fds = {take(&joint->output[0]), take(&joint->output[1])},
      .notes_fd = take(&joint->notes[0]),
      .swept = swept,
      .guard_pid = guard_pid,
      .guard_pidfd = pidfd_of(guard_pid),
  };
  joint_close(joint);
}

// Between the forks and the moment when front and engine hear signals, one that ended the front
// alone would leave the others to find out. What comes meanwhile waits: signals_on lets it through.
static void hold_signals(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(how, &set, NULL);
}

// In the guard: comes back in the engine alone.
static void split_guard(struct joint *joint, struct front_link *link, bool *swept) {
  prctl(PR_SET_NAME, "pactlua-guard");
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t guard_pid = getpid(), engine_pid = fork();
  if (engine_pid == 0) {
    become_engine(joint, link, guard_pid, swept);
    return;
  }
  if (engine_pid < 0) _exit(guard_note_failure(joint->notes[1], errno));
  hold_signals(SIG_UNBLOCK);
  guard_run(engine_pid, joint->notes[1], swept);
}

int roles_split(struct front_link *link, enum role *role) {
  struct joint joint;
  bool *swept = share_word();
  int error = joint_open(&joint);
  if (!swept && !error) error = -ENOMEM;
  prctl(PR_SET_CHILD_SUBREAPER, 1); // what a killed guard leaves comes to us
  hold_signals(SIG_BLOCK);
  pid_t guard_pid = error ? -1 : fork();
  if (!error && guard_pid < 0) error = -errno;
  if (error) {
    hold_signals(SIG_UNBLOCK);
    joint_close(&joint);
    return error;
  }
  if (guard_pid == 0) {
    split_guard(&joint, link, swept);
    *role = ROLE_ENGINE;
  } else {
    become_front(&joint, link, guard_pid, swept);
    hold_background_stop();
    *role = ROLE_FRONT;
  }
  return 0;
}

// What can't be killed now will not be by the guard either.
void roles_engine_leaves(const struct front_link *link, const struct tree_spared *spared) {
  tree_kill_descendants(GUARD_GRACE_MS, &kernel_linux, spared);
  *link->swept = true;
}
