// floor: the least program that does what a supervisor can't avoid: it starts N processes in
// sessions of their own, copies their pipes to files, starts one again that has ended, and on
// SIGTERM ends all. What it takes is the floor that benchmarks compare with.
//
//   floor DIRECTORY N PROGRAM [ARG…]      writes DIRECTORY/0.log, 1.log …
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct child {
  pid_t pid;
  int log_fd;
};

static struct child *children;
static int count, alive, poll_fd;
static bool ending;

static void die(const char *what) {
  perror(what);
  exit(1);
}

// Data of an event: the pipe's descriptor, and the file's in the upper half.
static void watch(int fd, int log_fd) {
  struct epoll_event event = {.events = EPOLLIN,
                              .data.u64 = (uint64_t)(unsigned)log_fd << 32 | (unsigned)fd};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void start(struct child *child, char **argv) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) die("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  if ((errno = posix_spawnp(&child->pid, argv[0], &actions, &attributes, argv, environ)))
    die(argv[0]);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(out[1]);
  close(err[1]);
  watch(out[0], child->log_fd);
  watch(err[0], child->log_fd);
  alive++;
}

static void copy(int fd, int log_fd) {
  static char buffer[1 << 16];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0 && write(log_fd, buffer, (size_t)n) != n) die("write");
  if (n == 0) close(fd);
}

static void reap(char **argv) {
  for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
    alive--;
    for (int i = 0; i < count; i++) {
      if (children[i].pid != pid) continue;
      children[i].pid = 0;
      if (!ending) start(&children[i], argv);
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fputs("usage: floor DIRECTORY N PROGRAM [ARG…]\n", stderr);
    return 2;
  }
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  int signal_fd = signalfd(-1, &mask, SFD_CLOEXEC);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(signal_fd, 0);
  count = atoi(argv[2]);
  children = calloc((size_t)count, sizeof *children);
  for (int i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.log", argv[1], i);
    children[i].log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (children[i].log_fd < 0) die(path);
    start(&children[i], argv + 3);
  }
  while (alive) {
    struct epoll_event events[64];
    int n = epoll_wait(poll_fd, events, 64, -1);
    bool signalled = false;
    for (int i = 0; i < n; i++) {
      int fd = (int)(unsigned)events[i].data.u64;
      if (fd == signal_fd)
        signalled = true;
      else
        copy(fd, (int)(events[i].data.u64 >> 32));
    }
    struct signalfd_siginfo info;
    if (signalled && read(signal_fd, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGTERM) {
        ending = true;
        for (int i = 0; i < count; i++)
          if (children[i].pid) kill(-children[i].pid, SIGTERM);
      }
      reap(argv + 3);
    }
  }
  // What was written before an end is still in the pipes.
  for (struct epoll_event event; epoll_wait(poll_fd, &event, 1, 0) > 0;) {
    int fd = (int)(unsigned)event.data.u64;
    if (fd == signal_fd) break;
    copy(fd, (int)(event.data.u64 >> 32));
  }
  return 0;
}
