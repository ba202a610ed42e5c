// launch: starts a program for a test and keeps watch over all that comes of it.
//
//   launch [-p|-t] [-C DIR] [-w PID] DIR_OF_RUN PROGRAM [ARG…]
//
// Prints "KEEPER PROGRAM" (two pids) and returns at once. Behind it a keeper stays, a subreaper, so
// that whatever the program leaves becomes the keeper's child, in whatever session or environment.
// In DIR_OF_RUN it writes:
//   out, err   what the program wrote; with -p through pipes, with -t `out` from a terminal
//   status     when the program has ended: "exit N LEFT MAXRSS_KB CPU_MS", or "signal N" and so on.
//              LEFT is the number of processes alive below the keeper at that moment, CPU_MS what
//              the program, and children that it has waited for, took of the processors
//   clean      empty file, made when the last descendant has ended
// A fifo `in` there, made by the caller, is the program's input; without one it is /dev/null.
// On SIGUSR1 the keeper hangs up the terminal, as when its window is closed. When the process PID
// ends first, the keeper kills everything and ends.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum mode { TO_FILES, TO_PIPES, TO_TERMINAL };

struct keeper {
  enum mode mode;
  const char *dir; // of the run
  const char *cwd;
  pid_t program;
  int program_status;
  long maxrss_kb, cpu_ms;
  bool ended;
  int signal_fd, watch_fd;
  int from_fd[2], to_fd[2]; // pipes or the terminal, and the files they are copied to
  int in_fd;                // the fifo, for a terminal
};

static void die(const char *what) {
  fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static int open_in_dir(const struct keeper *k, const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", k->dir, name);
  return open(path, flags | O_CLOEXEC, 0644);
}

static void write_file(const struct keeper *k, const char *name, const char *text) {
  char path[4096], beside[4128];
  snprintf(path, sizeof path, "%s/%s", k->dir, name);
  snprintf(beside, sizeof beside, "%s.new", path);
  FILE *file = fopen(beside, "we");
  if (!file) die(beside);
  fputs(text, file);
  fclose(file);
  rename(beside, path);
}

// Finds the parent and state of a process; false when it is gone.
static bool read_stat(pid_t pid, pid_t *ppid, char *state) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  char *behind_name = strrchr(text, ')');
  return behind_name && sscanf(behind_name + 1, " %c %d", state, ppid) == 2;
}

static bool is_below(pid_t pid, pid_t ancestor) {
  char state;
  for (int depth = 0; depth < 64 && pid > 1; depth++) {
    pid_t ppid;
    if (!read_stat(pid, &ppid, &state)) return false;
    if (ppid == ancestor) return true;
    pid = ppid;
  }
  return false;
}

// Counts live descendants, and signals them when `signo` isn't 0.
static int descendants(int signo) {
  int count = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc && (entry = readdir(proc));) {
    pid_t pid = atoi(entry->d_name), ppid;
    char state;
    if (pid <= 0 || !read_stat(pid, &ppid, &state) || state == 'Z') continue;
    if (!is_below(pid, getpid())) continue;
    count++;
    if (signo) kill(pid, signo);
  }
  if (proc) closedir(proc);
  return count;
}

static void run_program(const struct keeper *k, int in_fd, int out_fd, int err_fd, char **argv) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int signo = 1; signo < NSIG; signo++) signal(signo, SIG_DFL);
  if (k->mode != TO_TERMINAL) setsid();
  if (k->cwd && chdir(k->cwd)) die(k->cwd);
  if (in_fd >= 0) dup2(in_fd, 0);
  if (out_fd >= 0) dup2(out_fd, 1);
  if (err_fd >= 0) dup2(err_fd, 2);
  syscall(SYS_close_range, 3, ~0U, 0);
  execvp(argv[0], argv);
  fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(errno));
  _exit(126);
}

static void start_plain(struct keeper *k, char **argv) {
  int in_fd = open_in_dir(k, "in", O_RDWR);
  if (in_fd < 0) in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int fds[2] = {k->to_fd[0], k->to_fd[1]};
  for (int i = 0; i < 2 && k->mode == TO_PIPES; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) die("pipe");
    k->from_fd[i] = ends[0];
    fds[i] = ends[1];
  }
  k->program = fork();
  if (k->program < 0) die("fork");
  if (k->program == 0) run_program(k, in_fd, fds[0], fds[1], argv);
  close(in_fd);
  for (int i = 0; i < 2 && k->mode == TO_PIPES; i++) close(fds[i]);
}

static void start_in_terminal(struct keeper *k, char **argv) {
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  int master;
  k->program = forkpty(&master, NULL, NULL, &size);
  if (k->program < 0) die("forkpty");
  if (k->program == 0) run_program(k, -1, -1, -1, argv);
  fcntl(master, F_SETFD, FD_CLOEXEC);
  k->from_fd[0] = master;
  k->in_fd = open_in_dir(k, "in", O_RDWR | O_NONBLOCK);
}

// Copies what is there; closes the source at its end.
static void copy(int *from_fd, int to_fd) {
  static char buffer[1 << 16];
  ssize_t n = read(*from_fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    close(*from_fd);
    *from_fd = -1;
    return;
  }
  for (ssize_t done = 0; done < n;) {
    ssize_t wrote = write(to_fd, buffer + done, (size_t)(n - done));
    if (wrote < 0 && errno != EINTR) die("write");
    if (wrote > 0) done += wrote;
  }
}

static void drain(struct keeper *k, int i) {
  struct pollfd ready = {.fd = k->from_fd[i], .events = POLLIN};
  while (k->from_fd[i] >= 0 && poll(&ready, 1, 0) > 0) copy(&k->from_fd[i], k->to_fd[i]);
}

static void program_ended(struct keeper *k) {
  for (int i = 0; i < 2; i++) drain(k, i);
  char text[128];
  bool signalled = WIFSIGNALED(k->program_status);
  snprintf(text, sizeof text, "%s %d %d %ld %ld\n", signalled ? "signal" : "exit",
           signalled ? WTERMSIG(k->program_status) : WEXITSTATUS(k->program_status), descendants(0),
           k->maxrss_kb, k->cpu_ms);
  write_file(k, "status", text);
}

static long milliseconds(struct timeval time) {
  return time.tv_sec * 1000 + time.tv_usec / 1000;
}

// True while any child is left.
static bool reap(struct keeper *k) {
  for (;;) {
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid == k->program) {
      k->program_status = status;
      k->maxrss_kb = usage.ru_maxrss;
      k->cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
      k->ended = true;
      program_ended(k);
    }
    if (pid == 0) return true;
    if (pid < 0 && errno != EINTR) return false;
  }
}

static void hang_up(struct keeper *k) {
  if (k->mode != TO_TERMINAL || k->from_fd[0] < 0) return;
  close(k->from_fd[0]);
  k->from_fd[0] = -1;
}

static void keep(struct keeper *k) {
  bool children = true;
  while (children || k->from_fd[0] >= 0 || k->from_fd[1] >= 0) {
    if (!children) {
      for (int i = 0; i < 2; i++) drain(k, i);
      break;
    }
    struct pollfd fds[] = {
        {.fd = k->signal_fd, .events = POLLIN},  {.fd = k->watch_fd, .events = POLLIN},
        {.fd = k->from_fd[0], .events = POLLIN}, {.fd = k->from_fd[1], .events = POLLIN},
        {.fd = k->in_fd, .events = POLLIN},
    };
    if (poll(fds, 5, -1) < 0 && errno != EINTR) die("poll");
    if (fds[1].revents) {
      while (descendants(SIGKILL)) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
        usleep(10000);
      }
      return;
    }
    for (int i = 0; i < 2; i++)
      if (fds[2 + i].revents) copy(&k->from_fd[i], k->to_fd[i]);
    if (fds[4].revents && k->from_fd[0] >= 0) copy(&k->in_fd, k->from_fd[0]);
    if (fds[0].revents) {
      struct signalfd_siginfo info;
      while (read(k->signal_fd, &info, sizeof info) > 0)
        if (info.ssi_signo == SIGUSR1) hang_up(k);
      children = reap(k);
    }
  }
  write_file(k, "clean", "");
}

int main(int argc, char **argv) {
  struct keeper k = {.signal_fd = -1, .watch_fd = -1, .from_fd = {-1, -1}, .in_fd = -1};
  pid_t watched = 0;
  int option;
  while ((option = getopt(argc, argv, "+ptC:w:")) != -1) {
    if (option == 'p')
      k.mode = TO_PIPES;
    else if (option == 't')
      k.mode = TO_TERMINAL;
    else if (option == 'C')
      k.cwd = optarg;
    else if (option == 'w')
      watched = atoi(optarg);
    else
      return 125;
  }
  if (argc - optind < 2) {
    fputs("usage: launch [-p|-t] [-C DIR] [-w PID] DIR_OF_RUN PROGRAM [ARG…]\n", stderr);
    return 125;
  }
  k.dir = argv[optind];

  int tell[2];
  if (pipe2(tell, O_CLOEXEC)) die("pipe");
  pid_t keeper_pid = fork();
  if (keeper_pid < 0) die("fork");
  if (keeper_pid > 0) {
    close(tell[1]);
    pid_t program;
    if (read(tell[0], &program, sizeof program) != sizeof program) return 125;
    printf("%d %d\n", keeper_pid, program);
    return 0;
  }

  setsid();
  syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGPIPE, SIG_IGN);
  sigset_t heard;
  sigemptyset(&heard);
  sigaddset(&heard, SIGCHLD);
  sigaddset(&heard, SIGUSR1);
  sigprocmask(SIG_BLOCK, &heard, NULL);
  k.signal_fd = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
  if (watched) k.watch_fd = (int)syscall(SYS_pidfd_open, watched, 0);
  k.to_fd[0] = open_in_dir(&k, "out", O_WRONLY | O_CREAT | O_APPEND);
  k.to_fd[1] = open_in_dir(&k, "err", O_WRONLY | O_CREAT | O_APPEND);
  if (k.to_fd[0] < 0 || k.to_fd[1] < 0) die(k.dir);
  if (k.mode == TO_TERMINAL)
    start_in_terminal(&k, argv + optind + 1);
  else
    start_plain(&k, argv + optind + 1);
  if (write(tell[1], &k.program, sizeof k.program) < 0) die("tell");
  close(tell[1]);
  int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++) dup2(null_fd, fd);
  close(null_fd);
  keep(&k);
  return 0;
}
