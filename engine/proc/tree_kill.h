// Ends everything below this process, without a loop and without memory: for a process that does
// nothing else, and that orphans come to (PR_SET_CHILD_SUBREAPER), so that none can escape.
#pragma once
#include <stdint.h>

#include "proc/kernel.h"

// TERM and CONT to every descendant at once, KILL after grace_ms and again until none is left, for
// 2 s at most; reaps them all. Blocks. Returns how many are left then.
unsigned tree_kill_descendants(uint64_t grace_ms, const struct kernel *kernel);
