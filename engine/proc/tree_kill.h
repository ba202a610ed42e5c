// Ends everything below this process, without a loop and without memory: for a process that does
// nothing else, and that orphans come to (PR_SET_CHILD_SUBREAPER), so that none can escape.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/kernel.h"

// Processes that are to live on, and all below them with them. The list stays the caller's.
struct tree_spared {
  const struct tree_spared_process {
    pid_t pid;
    uint64_t start; // as in procfs_stat
  } * list;
  size_t count;
};

// TERM and CONT to every descendant at once, KILL after grace_ms and again until none is left, for
// 2 s at most, for 200 ms where all are in state D and will die when they wake; reaps them all.
// Blocks. Returns how many are left then, the spared ones not counted. spared: NULL for none.
unsigned tree_kill_descendants(uint64_t grace_ms, const struct kernel *kernel,
                               const struct tree_spared *spared);
