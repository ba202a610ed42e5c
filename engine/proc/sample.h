// What a tree of processes uses, who is in it, and where it listens: read from /proc when asked.
// Many questions of one moment share one walk.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/procs.h"

struct sample {
  uint64_t cpu_ms; // so far, of all that live, with the children they have waited for
  uint64_t rss_bytes;
  unsigned threads, procs;
  // Only with `detail`, for they cost two more files of each process:
  uint64_t read_bytes, write_bytes; // from and to storage
  unsigned fds;
};

// -ENOENT: no such id. Figures that we may not read count as 0.
int procs_sample(struct procs *procs, uint64_t id, bool detail, struct sample *sample);

struct tree_process {
  struct procfs_stat stat;
  char *command; // its arguments with spaces between; [name] when there are none to see
};

struct tree {
  size_t count;
  struct tree_process processes[]; // the living ones, leader first
};

// The caller frees *result by tree_free.
int procs_tree(struct procs *procs, uint64_t id, struct tree **result);
void tree_free(struct tree *tree);

// The TCP ports on which the tree listens, sorted; the caller frees *ports.
int procs_ports(struct procs *procs, uint64_t id, uint16_t **ports, size_t *count);

// The command of any process, as in struct tree_process; the caller frees it.
char *command_of(const struct kernel *kernel, pid_t pid, const char *name);
