// gauge: the small programs that a benchmark runs and measures with. All times are CLOCK_MONOTONIC
// in nanoseconds.
//
//   gauge none                    ends at once: what any program costs
//   gauge stamp FILE              appends "PID TIME" to FILE, then waits to be ended
//   gauge exec FILE PROGRAM …     appends "PID TIME" to FILE and becomes PROGRAM
//   gauge time N PROGRAM …        runs it N times, its output thrown away;
//                                 prints "MEDIAN_US MIN_US MAXRSS_KB"
//   gauge kill PID SIGNAL         prints the time and signals
//   gauge end SECONDS PID SIGNAL OTHER…
//                                 signals PID; prints how many nanoseconds later all of them had
//                                 ended. What still runs when the time is up, or five seconds
//                                 after PID has ended, is told instead: "left PID PID …"
//   gauge flood BYTES FILE        writes so many bytes of 102-byte lines, a stamp in FILE before
//                                 and after, then waits to be ended
//   gauge pour BYTES              writes so many bytes of such lines a second, for ever
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define SECOND 1000000000LL

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

static void stamp(const char *path) {
  char text[64];
  int n = snprintf(text, sizeof text, "%d %lld\n", (int)getpid(), (long long)now_ns());
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, (size_t)n) != n) {
    perror(path);
    exit(1);
  }
  close(fd);
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static int time_runs(int runs, char **argv) {
  int64_t *took = calloc((size_t)runs, sizeof *took);
  long maxrss_kb = 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  for (int i = 0; took && i < runs; i++) {
    int64_t began = now_ns();
    pid_t pid;
    if ((errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ))) {
      perror(argv[0]);
      return 1;
    }
    int status;
    struct rusage usage;
    wait4(pid, &status, 0, &usage);
    took[i] = now_ns() - began;
    if (usage.ru_maxrss > maxrss_kb) maxrss_kb = usage.ru_maxrss;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      fprintf(stderr, "gauge: %s failed (status %d)\n", argv[0], status);
      return 1;
    }
  }
  if (!took || runs < 1) return 1;
  qsort(took, (size_t)runs, sizeof *took, by_size);
  printf("%lld %lld %ld\n", (long long)took[runs / 2] / 1000, (long long)took[0] / 1000, maxrss_kb);
  free(took);
  return 0;
}

static int open_pid(const char *pid) {
  int fd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
  if (fd < 0 && errno != ESRCH) {
    perror("pidfd_open");
    exit(1);
  }
  return fd;
}

static bool ends_until(int fd, int64_t deadline_ns) {
  if (fd < 0) return true;
  int64_t patience_ms = (deadline_ns - now_ns()) / 1000000;
  struct pollfd ended = {.fd = fd, .events = POLLIN};
  return poll(&ended, 1, patience_ms > 0 ? (int)patience_ms : 0) > 0;
}

// The ends are waited for by pidfd: no look comes late, and nothing is spent between them.
static int end_all(int seconds, int signo, int count, char **pids) {
  int *fds = calloc((size_t)count, sizeof *fds);
  if (!fds) return 1;
  for (int i = 0; i < count; i++) fds[i] = open_pid(pids[i]);
  int64_t began = now_ns(), deadline = began + seconds * SECOND;
  if (kill(atoi(pids[0]), signo)) perror("kill");
  if (ends_until(fds[0], deadline) && deadline > now_ns() + 5 * SECOND)
    deadline = now_ns() + 5 * SECOND;
  bool left = false;
  for (int i = 0; i < count; i++) {
    if (ends_until(fds[i], deadline)) continue;
    printf("%s%s", left ? " " : "left ", pids[i]);
    left = true;
  }
  int64_t took = now_ns() - began;
  if (!left) printf("%lld", (long long)took);
  putchar('\n');
  free(fds);
  return 0;
}

static char block[102 * 640];

static void fill_block(void) {
  for (size_t i = 0; i < sizeof block; i += 102) {
    memset(block + i, 'a' + (int)(i / 102 % 26), 101);
    block[i + 101] = '\n';
  }
}

// So many bytes of the block, and again from its beginning; `at` is where to go on.
static void write_lines(int64_t bytes, size_t *where) {
  size_t at = *where;
  for (int64_t left = bytes; left > 0;) {
    size_t piece = left < (int64_t)(sizeof block - at) ? (size_t)left : sizeof block - at;
    ssize_t n = write(1, block + at, piece);
    if (n < 0 && errno != EINTR) exit(1);
    if (n > 0) left -= n, at = (at + (size_t)n) % sizeof block;
  }
  *where = at;
}

static void flood(int64_t bytes) {
  size_t at = 0;
  fill_block();
  write_lines(bytes, &at);
}

// What one pause was too long for comes behind it.
static void pour(int64_t bytes_per_s) {
  size_t at = 0;
  fill_block();
  int64_t began = now_ns(), sent = 0;
  for (;;) {
    int64_t due = (now_ns() - began) / 1000 * bytes_per_s / 1000000;
    if (due > sent) write_lines(due - sent, &at);
    sent = due;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void rest(void) {
  for (;;) pause();
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "none")) {
    return 0;
  } else if (!strcmp(what, "stamp") && argc > 2) {
    stamp(argv[2]);
    rest();
  } else if (!strcmp(what, "exec") && argc > 3) {
    stamp(argv[2]);
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 127;
  } else if (!strcmp(what, "time") && argc > 3) {
    return time_runs(atoi(argv[2]), argv + 3);
  } else if (!strcmp(what, "kill") && argc > 3) {
    printf("%lld\n", (long long)now_ns());
    fflush(stdout);
    return kill(atoi(argv[2]), atoi(argv[3])) ? 1 : 0;
  } else if (!strcmp(what, "end") && argc > 4) {
    int signo = atoi(argv[4]);
    argv[4] = argv[3];
    return end_all(atoi(argv[2]), signo, argc - 4, argv + 4);
  } else if (!strcmp(what, "pour") && argc > 2) {
    pour(atoll(argv[2]));
  } else if (!strcmp(what, "flood") && argc > 3) {
    stamp(argv[3]);
    flood(atoll(argv[2]));
    stamp(argv[3]);
    rest();
  }
  fputs("usage: gauge none|stamp|exec|time|kill|end|flood|pour …\n", stderr);
  return 2;
}
