// A look at all our descendants, and whose tree each one belongs to. Where a process came from is
// remembered with its start time, for the time when nothing of it can be seen any more.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/procfs.h"

struct procs;

struct walk_entry {
  struct procfs_stat stat;
  uint64_t owner; // the id of its tree; 0: nobody knows
  bool leader;
};

struct walk_memory {
  pid_t pid;
  uint64_t start;
  uint64_t owner;
};

struct walk {
  struct walk_entry *entries; // parents before their children
  size_t count, capacity;
  struct walk_memory *memory; // by pid
  size_t memory_count;
  uint64_t at_ms;   // when it was taken; 0: never
  uint64_t took_ms; // what it cost
  bool whole;
};

enum walk_extent {
  WALK_ZOMBIES, // as WALK_STRAYS; the others may leave out zombies when nothing else is there
  WALK_STRAYS,  // leaders that live and aren't being swept are left out, with all below them
  WALK_WHOLE,   // all but leaders that have ended
};

void walk_finish(struct walk *walk);

// Called for each process in the moment when it is found and attributed.
typedef void (*walk_found_fn)(struct procs *procs, const struct walk_entry *entry);

// Fills procs->walk. `found` may be NULL; it serves to stop what would grow faster than it can be
// looked at. -errno when the kernel could not be asked (no descriptors, no memory): an empty result
// would mean nothing then.
int walk_take(struct procs *procs, enum walk_extent extent, walk_found_fn found);
// A whole one, unless that is there from this very moment: questions about many trees are asked
// together.
int walk_recent(struct procs *procs);

// Finds the owner of the index-th entry; those before it have theirs (attribute.c).
void walk_attribute(struct procs *procs, size_t index);
// Keeps the owners of this walk for the next ones; `whole`: nobody was left out.
void walk_remember(struct procs *procs, bool whole);

// Not a zombie: a process whose first thread has ended lives by its others.
bool walk_alive(const struct walk_entry *entry);
