// Processes that carry a tag in their environment, anywhere on the machine: what a run that was
// itself killed has left.
#pragma once
#include <stddef.h>

#include "proc/procfs.h"

struct stray {
  struct procfs_stat stat;
  char *command;
  char *environ; // its whole block: NAME=value, each ended by a NUL
  size_t environ_size;
};

struct strays {
  size_t count;
  struct stray *list; // oldest first
};

// Those whose environment we may read and that has `tag`, which is NAME=value, without this
// process. The caller frees *result by strays_free. -errno when /proc can't be read.
int strays_find(const struct kernel *kernel, const char *tag, struct strays **result);
void strays_free(struct strays *strays);
