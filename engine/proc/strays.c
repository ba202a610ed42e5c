#include "proc/strays.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/sample.h"

enum { ENVIRON_MAX = 1024 * 1024 };

static bool carries(const char *block, size_t size, const char *tag) {
  for (const char *entry = block; entry < block + size; entry += strlen(entry) + 1)
    if (strcmp(entry, tag) == 0) return true;
  return false;
}

// The start time is read on both sides of the block: else it could be another's.
static bool examine(const struct kernel *kernel, pid_t pid, const char *tag, struct stray *stray) {
  struct procfs_stat again;
  if (procfs_stat(kernel, pid, &stray->stat) != 0) return false;
  stray->environ = procfs_slurp(kernel, pid, "environ", ENVIRON_MAX, &stray->environ_size);
  if (!stray->environ) return false;
  if (!carries(stray->environ, stray->environ_size, tag) || procfs_stat(kernel, pid, &again) != 0 ||
      again.start != stray->stat.start) {
    free(stray->environ);
    return false;
  }
  stray->command = command_of(kernel, pid, stray->stat.name);
  return true;
}

static int by_age(const void *a, const void *b) {
  const struct procfs_stat *x = &((const struct stray *)a)->stat;
  const struct procfs_stat *y = &((const struct stray *)b)->stat;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return (x->pid > y->pid) - (x->pid < y->pid);
}

int strays_find(const struct kernel *kernel, const char *tag, struct strays **result) {
  struct procfs_dir dir;
  struct stray stray;
  int error = procfs_dir_open(kernel, &dir, "/proc");
  if (error) return error;
  struct strays *strays = mem_new(sizeof *strays);
  for (long pid; procfs_dir_next(&dir, &pid);) {
    if (pid == getpid() || !examine(kernel, (pid_t)pid, tag, &stray)) continue;
    strays->list = mem_resize(strays->list, (strays->count + 1) * sizeof *strays->list);
    strays->list[strays->count++] = stray;
  }
  procfs_dir_close(&dir);
  if (strays->count) qsort(strays->list, strays->count, sizeof *strays->list, by_age);
  *result = strays;
  return 0;
}

void strays_free(struct strays *strays) {
  if (!strays) return;
  for (size_t i = 0; i < strays->count; i++) {
    free(strays->list[i].command);
    free(strays->list[i].environ);
  }
  free(strays->list);
  free(strays);
}
