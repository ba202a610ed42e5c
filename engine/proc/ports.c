// TCP ports on which a tree listens: the sockets in LISTEN state that one of its descriptors names.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/registry.h"
#include "proc/sample.h"

enum { TABLE_MAX = 16 * 1024 * 1024, TCP_LISTENING = 0x0A };

struct listener {
  unsigned long inode;
  uint16_t port;
};

struct listeners {
  struct listener *list;
  size_t count, capacity;
};

static void add_listener(struct listeners *listeners, const char *line) {
  unsigned port, state;
  unsigned long inode;
  if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", &port, &state,
             &inode) != 3 ||
      state != TCP_LISTENING)
    return;
  if (listeners->count == listeners->capacity) {
    listeners->capacity = listeners->capacity ? listeners->capacity * 2 : 32;
    listeners->list = mem_resize(listeners->list, listeners->capacity * sizeof *listeners->list);
  }
  listeners->list[listeners->count++] = (struct listener){inode, (uint16_t)port};
}

static void read_table(const struct kernel *kernel, pid_t pid, const char *file,
                       struct listeners *listeners) {
  size_t size;
  char *table = procfs_slurp(kernel, pid, file, TABLE_MAX, &size);
  for (char *line = table, *end; line && (end = strchr(line, '\n')); line = end + 1) {
    *end = '\0';
    add_listener(listeners, line);
  }
  free(table);
}

static bool has_port(const uint16_t *ports, size_t count, uint16_t port) {
  for (size_t i = 0; i < count; i++)
    if (ports[i] == port) return true;
  return false;
}

static void match(const struct listeners *listeners, unsigned long inode, uint16_t *ports,
                  size_t *count) {
  for (size_t i = 0; i < listeners->count; i++)
    if (listeners->list[i].inode == inode && !has_port(ports, *count, listeners->list[i].port))
      ports[(*count)++] = listeners->list[i].port;
}

static void match_fds(const struct kernel *kernel, pid_t pid, const struct listeners *listeners,
                      uint16_t *ports, size_t *count) {
  char path[64], target[64];
  struct procfs_dir dir;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  if (procfs_dir_open(kernel, &dir, path) != 0) return;
  for (long fd; procfs_dir_next(&dir, &fd);) {
    unsigned long inode;
    snprintf(path, sizeof path, "/proc/%d/fd/%ld", (int)pid, fd);
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) continue;
    target[size] = '\0';
    if (sscanf(target, "socket:[%lu]", &inode) == 1) match(listeners, inode, ports, count);
  }
  procfs_dir_close(&dir);
}

static int by_number(const void *a, const void *b) {
  return *(const uint16_t *)a - *(const uint16_t *)b;
}

// The tables are those of the network the first of the tree lives in.
int procs_ports(struct procs *procs, uint64_t id, uint16_t **ports, size_t *count) {
  struct tree *tree;
  struct listeners listeners = {0};
  int error = procs_tree(procs, id, &tree);
  if (error) return error;
  if (tree->count) {
    pid_t pid = tree->processes[0].stat.pid;
    read_table(procs->kernel, pid, "net/tcp", &listeners);
    read_table(procs->kernel, pid, "net/tcp6", &listeners);
  }
  *count = 0;
  *ports = mem_new((listeners.count + 1) * sizeof **ports);
  for (size_t i = 0; listeners.count && i < tree->count; i++)
    match_fds(procs->kernel, tree->processes[i].stat.pid, &listeners, *ports, count);
  qsort(*ports, *count, sizeof **ports, by_number);
  free(listeners.list);
  tree_free(tree);
  return 0;
}
