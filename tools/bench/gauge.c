// gauge: the small programs that a benchmark runs and measures with. All times are CLOCK_MONOTONIC
// in nanoseconds.
//
//   gauge stamp FILE              appends "PID TIME" to FILE, then waits to be ended
//   gauge exec FILE PROGRAM …     writes the time into FILE and becomes PROGRAM
//   gauge time N PROGRAM …        runs it N times; prints "MEDIAN_US MIN_US MAXRSS_KB" (output
//   thrown away) gauge kill PID SIGNAL         prints the time and signals gauge flood BYTES FILE
//   writes so many bytes of 102-byte lines, then "PID TIME" into FILE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
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

static void flood(int64_t bytes) {
  static char block[102 * 640];
  for (size_t i = 0; i < sizeof block; i += 102) {
    memset(block + i, 'a' + (int)(i / 102 % 26), 101);
    block[i + 101] = '\n';
  }
  for (int64_t left = bytes; left > 0;) {
    size_t piece = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
    ssize_t n = write(1, block, piece);
    if (n < 0 && errno != EINTR) exit(1);
    if (n > 0) left -= n;
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 2 ? argv[1] : "";
  if (!strcmp(what, "stamp")) {
    stamp(argv[2]);
    for (;;) pause();
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
  } else if (!strcmp(what, "flood") && argc > 3) {
    flood(atoll(argv[2]));
    stamp(argv[3]);
    return 0;
  }
  fputs("usage: gauge stamp|exec|time|kill|flood …\n", stderr);
  return 2;
}
