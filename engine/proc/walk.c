#include "proc/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/registry.h"

enum { SAME_MOMENT_MS = 20 };

void walk_finish(struct walk *walk) {
  free(walk->entries);
  free(walk->memory);
  *walk = (struct walk){0};
}

bool walk_alive(const struct walk_entry *entry) {
  char state = entry->stat.state;
  return (state != 'Z' && state != 'X') || entry->stat.threads > 1;
}

// Being unable to look is not the same as having seen nothing.
static bool blinded(int error) {
  return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static bool left_out(struct procs *procs, pid_t pid, enum walk_extent extent) {
  struct proc *proc = idmap_get(&procs->by_pid, (uint64_t)pid);
  if (!proc) return false;
  return proc->exited || (extent != WALK_WHOLE && !proc->sweeping);
}

static struct walk_entry *append(struct walk *walk) {
  if (walk->count == walk->capacity) {
    walk->capacity = walk->capacity ? walk->capacity * 2 : 64;
    walk->entries = mem_resize(walk->entries, walk->capacity * sizeof *walk->entries);
  }
  struct walk_entry *entry = &walk->entries[walk->count];
  *entry = (struct walk_entry){0};
  return entry;
}

// What one walk is about.
struct look {
  struct procs *procs;
  enum walk_extent extent;
  walk_found_fn found;
  bool ended; // somebody has been met who lives no more
};

// The entry behind the last has been filled.
static void take_in(struct look *look) {
  struct walk *walk = &look->procs->walk;
  walk_attribute(look->procs, walk->count++);
  const struct walk_entry *entry = &walk->entries[walk->count - 1];
  look->ended = look->ended || !walk_alive(entry);
  if (look->found) look->found(look->procs, entry);
}

static int add(struct look *look, pid_t pid) {
  struct procs *procs = look->procs;
  if (left_out(procs, pid, look->extent)) return 0;
  struct walk_entry *entry = append(&procs->walk);
  int error = procfs_stat(procs->kernel, pid, &entry->stat);
  if (!error)
    take_in(look);
  else
    look->ended = true;
  return blinded(error) ? error : 0;
}

struct pids {
  pid_t *list;
  size_t count, capacity;
};

static void pids_add(struct pids *pids, pid_t pid) {
  if (pids->count == pids->capacity) {
    pids->capacity = pids->capacity ? pids->capacity * 2 : 256;
    pids->list = mem_resize(pids->list, pids->capacity * sizeof *pids->list);
  }
  pids->list[pids->count++] = pid;
}

// `number` is what the last piece of the text left unfinished.
static void parse_numbers(const char *text, size_t size, pid_t *number, struct pids *pids) {
  for (size_t i = 0; i < size; i++) {
    if (text[i] >= '0' && text[i] <= '9') {
      *number = *number * 10 + (text[i] - '0');
    } else if (*number) {
      pids_add(pids, *number);
      *number = 0;
    }
  }
}

static int list_task(const struct kernel *kernel, pid_t pid, pid_t task, struct pids *pids) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)task);
  int fd = kernel->open(path, O_RDONLY);
  if (fd < 0) return fd;
  pid_t number = 0;
  for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
    parse_numbers(text, (size_t)got, &number, pids);
  close(fd);
  return 0;
}

// `threads` is 0 when it isn't known.
static int list_children(const struct kernel *kernel, pid_t pid, int threads, struct pids *pids) {
  if (threads == 1) return list_task(kernel, pid, pid, pids);
  char path[32];
  struct procfs_dir dir;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  int error = procfs_dir_open(kernel, &dir, path);
  if (error) return error;
  for (long task; !error && procfs_dir_next(&dir, &task);) {
    int result = list_task(kernel, pid, (pid_t)task, pids);
    if (result && (result != -ENOENT || task == pid)) error = result; // else a thread that ended
  }
  procfs_dir_close(&dir);
  return error;
}

// Our own children stay in the kernel's list while it is read, as only we take them away.
static int descend(struct look *look) {
  struct procs *procs = look->procs;
  struct walk *walk = &procs->walk;
  struct pids pids = {0};
  walk->count = 0;
  look->ended = false;
  int error = list_children(procs->kernel, procs->self, 0, &pids);
  for (size_t at = 0;; at++) {
    for (size_t i = 0; !error && i < pids.count; i++) error = add(look, pids.list[i]);
    pids.count = 0;
    if (error || at >= walk->count) break;
    struct walk_entry *entry = &walk->entries[at];
    if (!walk_alive(entry)) continue;
    int result = list_children(procs->kernel, entry->stat.pid, entry->stat.threads, &pids);
    if (blinded(result)) error = result;
  }
  free(pids.list);
  return error;
}

// Where the kernel has no lists of children: all processes, of which those are kept that lead up
// to us.
static int scan_all(struct procs *procs, enum walk_extent extent, struct walk *all) {
  struct procfs_dir dir;
  int error = procfs_dir_open(procs->kernel, &dir, "/proc");
  if (error) return error;
  for (long pid; !blinded(error) && procfs_dir_next(&dir, &pid);) {
    if (left_out(procs, (pid_t)pid, extent)) continue;
    error = procfs_stat(procs->kernel, (pid_t)pid, &append(all)->stat);
    if (!error) all->count++;
  }
  procfs_dir_close(&dir);
  return blinded(error) ? error : 0;
}

static void take_children(struct look *look, pid_t parent, struct walk *all) {
  for (size_t i = 0; i < all->count; i++) {
    if (all->entries[i].stat.ppid != parent) continue;
    append(&look->procs->walk)->stat = all->entries[i].stat;
    all->entries[i].stat.ppid = -1;
    take_in(look);
  }
}

static int scan(struct look *look) {
  struct procs *procs = look->procs;
  struct walk all = {0};
  int error = scan_all(procs, look->extent, &all);
  procs->walk.count = 0;
  take_children(look, procs->self, &all);
  for (size_t i = 0; i < procs->walk.count; i++)
    take_children(look, procs->walk.entries[i].stat.pid, &all);
  walk_finish(&all);
  return error;
}

// Without a living child there is nobody to look for; zombies don't count here.
static bool childless(const struct procs *procs) {
  siginfo_t info;
  return !procs->living &&
         procs->kernel->waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | WNOWAIT, NULL) == -ECHILD;
}

int walk_take(struct procs *procs, enum walk_extent extent, walk_found_fn found) {
  struct look look = {.procs = procs, .extent = extent, .found = found};
  struct walk *walk = &procs->walk;
  uint64_t began_ms = loop_now_ms(procs->loop);
  walk->count = 0;
  walk->at_ms = 0;
  int error = 0;
  if (extent == WALK_ZOMBIES || !childless(procs)) {
    error = descend(&look);
    // Whose children may have come to us, behind those that were listed.
    if (!error && look.ended && extent != WALK_ZOMBIES) error = descend(&look);
    if (error == -ENOENT) error = scan(&look);
  }
  walk_remember(procs, !error && extent == WALK_WHOLE);
  uint64_t now_ms = loop_now_ms(procs->loop);
  walk->took_ms = now_ms - began_ms;
  if (error) return error;
  walk->at_ms = now_ms;
  walk->whole = extent == WALK_WHOLE;
  return 0;
}

int walk_recent(struct procs *procs) {
  const struct walk *walk = &procs->walk;
  if (walk->at_ms && walk->whole && loop_now_ms(procs->loop) - walk->at_ms <= SAME_MOMENT_MS)
    return 0;
  return walk_take(procs, WALK_WHOLE, NULL);
}
