// What /proc tells about a process. Nothing here allocates, so it serves the smallest process too.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/kernel.h"

enum { PROCFS_NAME_MAX = 16 };

struct procfs_stat {
  pid_t pid, ppid, pgid, sid;
  char state;                 // R S D Z T t X I
  char name[PROCFS_NAME_MAX]; // as the kernel cut it, at most 15 bytes
  int threads;
  uint64_t start;  // clock ticks since boot: with the pid it names one process for ever
  uint64_t cpu_ms; // user and system, its waited-for children included
  uint64_t rss_bytes;
};

int procfs_stat(const struct kernel *kernel, pid_t pid, struct procfs_stat *stat);

// Reads up to size - 1 bytes and ends them with a NUL; returns their number or -errno.
ssize_t procfs_read(const struct kernel *kernel, const char *path, char *buffer, size_t size);

// Reads /proc/PID/<file> whole into a block that the caller frees, at most `max` bytes, a NUL
// behind them. Returns NULL when there is nothing, no permission or no memory.
char *procfs_slurp(const struct kernel *kernel, pid_t pid, const char *file, size_t max,
                   size_t *size);

// The value of NAME in an environment block as /proc/PID/environ has it; NULL when absent.
const char *procfs_env(const char *block, size_t size, const char *name, size_t name_size);

// A directory of numbers (/proc, /proc/PID/task, /proc/PID/fd) is visited in its own order.
struct procfs_dir {
  int fd;
  size_t at, filled;
  _Alignas(8) char buffer[2048];
};

int procfs_dir_open(const struct kernel *kernel, struct procfs_dir *dir, const char *path);
bool procfs_dir_next(struct procfs_dir *dir, long *number);
void procfs_dir_close(struct procfs_dir *dir);

// Sends a signal to the process that has this pid and start time, and to no other.
int procfs_signal(const struct kernel *kernel, pid_t pid, uint64_t start, int signo);
