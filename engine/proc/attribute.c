// Whose is a process that we didn't start ourselves? Asked in this order: what was found out
// before, its session, its group, its parent, and the tag in its environment.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/registry.h"

enum { ENVIRON_MAX = 256 * 1024 };

static int by_pid(const void *a, const void *b) {
  pid_t x = ((const struct walk_memory *)a)->pid, y = ((const struct walk_memory *)b)->pid;
  return (x > y) - (x < y);
}

static const struct walk_memory *find(const struct walk_memory *memory, size_t count, pid_t pid) {
  struct walk_memory key = {.pid = pid};
  return count ? bsearch(&key, memory, count, sizeof key, by_pid) : NULL;
}

static uint64_t remembered(const struct procs *procs, const struct procfs_stat *stat) {
  const struct walk_memory *found = find(procs->walk.memory, procs->walk.memory_count, stat->pid);
  if (!found || found->start != stat->start || !idmap_get(&procs->by_id, found->owner)) return 0;
  return found->owner;
}

// A leader that stayed in our own session and group leads neither.
static uint64_t led_by(const struct procs *procs, pid_t pid) {
  const struct proc *proc = idmap_get(&procs->by_pid, (uint64_t)pid);
  return proc && proc->session ? proc->id : 0;
}

static uint64_t inherited(const struct walk *walk, size_t index) {
  pid_t parent = walk->entries[index].stat.ppid;
  for (size_t i = index; i-- > 0;)
    if (walk->entries[i].stat.pid == parent) return walk->entries[i].owner;
  return 0;
}

// All tags bear the same name as a rule, so one look into the block does for many trees. Of those
// that share a tag the oldest has it: the others are short commands on its behalf.
static uint64_t tagged(const struct procs *procs, pid_t pid) {
  size_t size, at = 0;
  char *block = procfs_slurp(procs->kernel, pid, "environ", ENVIRON_MAX, &size);
  if (!block) return 0;
  const char *name = NULL, *value = NULL;
  size_t name_size = 0;
  uint64_t owner = 0;
  for (void *item; idmap_next(&procs->by_id, &at, NULL, &item);) {
    const struct proc *proc = item;
    if (!proc->tag || (owner && proc->id > owner)) continue;
    size_t length = strcspn(proc->tag, "=");
    if (!name || length != name_size || strncmp(name, proc->tag, length) != 0) {
      name = proc->tag;
      name_size = length;
      value = procfs_env(block, size, name, name_size);
    }
    if (value && proc->tag[length] && strcmp(value, proc->tag + length + 1) == 0) owner = proc->id;
  }
  free(block);
  return owner;
}

static uint64_t owner_of_pipe(const struct procs *procs, uint64_t inode) {
  size_t at = 0;
  for (void *item; idmap_next(&procs->by_id, &at, NULL, &item);) {
    const struct proc *proc = item;
    for (int i = 0; i < 3; i++)
      if (proc->pipes_ino[i] == inode) return proc->id;
  }
  return 0;
}

// Who has wiped its environment and left by two forks may still hold the pipes it was born with.
static uint64_t piped(const struct procs *procs, pid_t pid) {
  uint64_t owner = 0;
  for (int fd = 0; !owner && fd < 3; fd++) {
    char path[32], target[32];
    unsigned long inode;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) continue;
    target[size] = '\0';
    if (sscanf(target, "pipe:[%lu]", &inode) == 1) owner = owner_of_pipe(procs, inode);
  }
  return owner;
}

static uint64_t owner_of(struct procs *procs, size_t index) {
  const struct procfs_stat *stat = &procs->walk.entries[index].stat;
  uint64_t owner = remembered(procs, stat);
  if (!owner) owner = led_by(procs, stat->sid);
  if (!owner) owner = led_by(procs, stat->pgid);
  if (!owner && stat->ppid != procs->self) owner = inherited(&procs->walk, index);
  if (!owner && stat->state != 'Z') owner = tagged(procs, stat->pid);
  if (!owner && stat->state != 'Z') owner = piped(procs, stat->pid);
  return owner;
}

// What lives below a leader that was left out of this walk was not to be seen, so it is kept.
static bool still_of_use(const struct procs *procs, const struct walk_memory *memory) {
  const struct proc *proc = idmap_get(&procs->by_id, memory->owner);
  return proc && !proc->exited && !proc->sweeping;
}

static size_t memorize_seen(const struct walk *walk, struct walk_memory *memory) {
  size_t count = 0;
  for (size_t i = 0; i < walk->count; i++) {
    const struct walk_entry *entry = &walk->entries[i];
    if (entry->leader || !entry->owner) continue;
    memory[count++] = (struct walk_memory){entry->stat.pid, entry->stat.start, entry->owner};
  }
  if (count) qsort(memory, count, sizeof *memory, by_pid);
  return count;
}

void walk_remember(struct procs *procs, bool whole) {
  struct walk *walk = &procs->walk;
  if (!walk->count && !walk->memory_count) return;
  struct walk_memory *memory = mem_new((walk->count + walk->memory_count) * sizeof *memory);
  size_t fresh = memorize_seen(walk, memory), count = fresh;
  for (size_t i = 0; !whole && i < walk->memory_count; i++) {
    const struct walk_memory *old = &walk->memory[i];
    if (!find(memory, fresh, old->pid) && still_of_use(procs, old)) memory[count++] = *old;
  }
  if (count > fresh) qsort(memory, count, sizeof *memory, by_pid);
  free(walk->memory);
  if (!count) free(memory);
  walk->memory = count ? memory : NULL;
  walk->memory_count = count;
}

void walk_attribute(struct procs *procs, size_t index) {
  struct walk_entry *entry = &procs->walk.entries[index];
  const struct proc *proc = idmap_get(&procs->by_pid, (uint64_t)entry->stat.pid);
  entry->leader = proc != NULL;
  entry->owner = proc ? proc->id : owner_of(procs, index);
}
