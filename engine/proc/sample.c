#include "proc/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/registry.h"

enum { COMMAND_MAX = 4096 };

// Newer kernels give the number of descriptors as the directory's size.
static unsigned count_fds(const struct kernel *kernel, pid_t pid) {
  char path[32];
  struct procfs_dir dir;
  struct stat st;
  unsigned count = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  if (procfs_dir_open(kernel, &dir, path) != 0) return 0;
  if (fstat(dir.fd, &st) == 0 && st.st_size > 0)
    count = (unsigned)st.st_size;
  else
    for (long fd; procfs_dir_next(&dir, &fd);) count++;
  procfs_dir_close(&dir);
  return count;
}

static uint64_t figure(const char *text, const char *name) {
  const char *found = strstr(text, name);
  return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

static void add_io(const struct kernel *kernel, pid_t pid, struct sample *sample) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
  if (procfs_read(kernel, path, text, sizeof text) <= 0) return;
  sample->read_bytes += figure(text, "\nread_bytes: ");
  sample->write_bytes += figure(text, "\nwrite_bytes: ");
}

static int look(struct procs *procs, uint64_t id) {
  return idmap_get(&procs->by_id, id) ? walk_recent(procs) : -ENOENT;
}

static bool belongs(const struct walk_entry *entry, uint64_t id) {
  return entry->owner == id && walk_alive(entry);
}

int procs_sample(struct procs *procs, uint64_t id, bool detail, struct sample *sample) {
  *sample = (struct sample){0};
  int error = look(procs, id);
  if (error) return error;
  for (size_t i = 0; i < procs->walk.count; i++) {
    const struct walk_entry *entry = &procs->walk.entries[i];
    if (!belongs(entry, id)) continue;
    sample->procs++;
    sample->cpu_ms += entry->stat.cpu_ms;
    sample->rss_bytes += entry->stat.rss_bytes;
    sample->threads += (unsigned)entry->stat.threads;
    if (!detail) continue;
    sample->fds += count_fds(procs->kernel, entry->stat.pid);
    add_io(procs->kernel, entry->stat.pid, sample);
  }
  return 0;
}

char *command_of(const struct kernel *kernel, pid_t pid, const char *name) {
  size_t size;
  char *text = procfs_slurp(kernel, pid, "cmdline", COMMAND_MAX, &size);
  while (text && size && text[size - 1] == '\0') size--;
  if (!text || !size) {
    free(text);
    char shown[PROCFS_NAME_MAX + 2];
    return mem_dup(shown, (size_t)snprintf(shown, sizeof shown, "[%s]", name));
  }
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\0') text[i] = ' ';
  return text;
}

static void list_one(struct procs *procs, const struct walk_entry *entry,
                     struct tree_process *process) {
  process->stat = entry->stat;
  process->command = command_of(procs->kernel, entry->stat.pid, entry->stat.name);
}

int procs_tree(struct procs *procs, uint64_t id, struct tree **result) {
  int error = look(procs, id);
  if (error) return error;
  const struct walk *walk = &procs->walk;
  struct tree *tree = mem_new(sizeof *tree + walk->count * sizeof *tree->processes);
  for (int leaders = 1; leaders >= 0; leaders--)
    for (size_t i = 0; i < walk->count; i++)
      if (belongs(&walk->entries[i], id) && walk->entries[i].leader == leaders)
        list_one(procs, &walk->entries[i], &tree->processes[tree->count++]);
  *result = tree;
  return 0;
}

void tree_free(struct tree *tree) {
  for (size_t i = 0; tree && i < tree->count; i++) free(tree->processes[i].command);
  free(tree);
}
