#include "proc/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static ssize_t read_some(int fd, char *buffer, size_t size) {
  ssize_t got;
  do {
    got = read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

static ssize_t read_full(int fd, char *buffer, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    ssize_t got = read_some(fd, buffer + filled, size - filled);
    if (got < 0) return got;
    if (!got) break;
    filled += (size_t)got;
  }
  return (ssize_t)filled;
}

ssize_t procfs_read(const struct kernel *kernel, const char *path, char *buffer, size_t size) {
  int fd = kernel->open(path, O_RDONLY);
  if (fd < 0) return fd;
  ssize_t got = read_some(fd, buffer, size - 1);
  close(fd);
  buffer[got < 0 ? 0 : got] = '\0';
  return got;
}

// The fields behind the name, numbered from 3 (the state) as in proc(5).
enum { FIELD_FIRST = 4, FIELD_LAST = 24 };

static bool parse_fields(const char *text, long long fields[FIELD_LAST + 1]) {
  for (int i = FIELD_FIRST; i <= FIELD_LAST; i++) {
    char *end;
    fields[i] = strtoll(text, &end, 10);
    if (end == text) return false;
    text = end;
  }
  return true;
}

static bool parse_stat(const char *text, struct procfs_stat *stat) {
  const char *open = strchr(text, '('), *close = strrchr(text, ')');
  long long f[FIELD_LAST + 1];
  if (!open || !close || close < open || strlen(close) < 5) return false;
  if (!parse_fields(close + 3, f)) return false;
  size_t size = (size_t)(close - open - 1);
  if (size >= PROCFS_NAME_MAX) size = PROCFS_NAME_MAX - 1;
  memcpy(stat->name, open + 1, size);
  stat->name[size] = '\0';
  stat->pid = (pid_t)atol(text);
  stat->state = close[2];
  stat->ppid = (pid_t)f[4];
  stat->pgid = (pid_t)f[5];
  stat->sid = (pid_t)f[6];
  long ticks = sysconf(_SC_CLK_TCK);
  stat->cpu_ms = (uint64_t)(f[14] + f[15] + f[16] + f[17]) * 1000 / (uint64_t)ticks;
  stat->threads = (int)f[20];
  stat->start = (uint64_t)f[22];
  stat->rss_bytes = (uint64_t)f[24] * (uint64_t)sysconf(_SC_PAGESIZE);
  return true;
}

int procfs_stat(const struct kernel *kernel, pid_t pid, struct procfs_stat *stat) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  ssize_t got = procfs_read(kernel, path, text, sizeof text);
  if (got < 0) return (int)got;
  return parse_stat(text, stat) ? 0 : -ESRCH;
}

char *procfs_slurp(const struct kernel *kernel, pid_t pid, const char *file, size_t max,
                   size_t *size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  int fd = kernel->open(path, O_RDONLY);
  if (fd < 0) return NULL;
  char *block = NULL;
  size_t filled = 0;
  for (size_t room = 4096; filled < max; room *= 2) {
    if (room > max) room = max;
    char *grown = realloc(block, room + 1);
    if (!grown) break;
    block = grown;
    ssize_t got = read_full(fd, block + filled, room - filled);
    if (got > 0) filled += (size_t)got;
    if (got < 0 || filled < room) break;
  }
  close(fd);
  if (!filled) {
    free(block);
    return NULL;
  }
  block[filled] = '\0';
  *size = filled;
  return block;
}

const char *procfs_env(const char *block, size_t size, const char *name, size_t name_size) {
  for (const char *entry = block; entry < block + size; entry += strlen(entry) + 1)
    if (strncmp(entry, name, name_size) == 0 && entry[name_size] == '=')
      return entry + name_size + 1;
  return NULL;
}

int procfs_dir_open(const struct kernel *kernel, struct procfs_dir *dir, const char *path) {
  dir->fd = kernel->open(path, O_RDONLY | O_DIRECTORY);
  dir->at = dir->filled = 0;
  return dir->fd < 0 ? dir->fd : 0;
}

static bool refill(struct procfs_dir *dir) {
  long got = syscall(SYS_getdents64, dir->fd, dir->buffer, sizeof dir->buffer);
  dir->at = 0;
  dir->filled = got > 0 ? (size_t)got : 0;
  return got > 0;
}

bool procfs_dir_next(struct procfs_dir *dir, long *number) {
  while (dir->at < dir->filled || refill(dir)) {
    struct dirent64 *entry = (struct dirent64 *)(dir->buffer + dir->at);
    dir->at += entry->d_reclen;
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    *number = atol(entry->d_name);
    return true;
  }
  return false;
}

void procfs_dir_close(struct procfs_dir *dir) {
  if (dir->fd >= 0) close(dir->fd);
  dir->fd = -1;
}

// The descriptor comes first: from then on it can't be another process that gets the signal, and
// the start time read after it says whether it is the right one.
int procfs_signal(const struct kernel *kernel, pid_t pid, uint64_t start, int signo) {
  int pidfd = kernel->pidfd_open(pid);
  if (pidfd < 0) return pidfd;
  struct procfs_stat now;
  int error = procfs_stat(kernel, pid, &now);
  if (!error && now.start != start) error = -ESRCH;
  if (!error) error = kernel->pidfd_signal(pidfd, signo);
  close(pidfd);
  return error;
}
