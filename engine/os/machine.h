// Figures of the machine and of this process, read when asked for.
#pragma once
#include <stdint.h>

struct machine {
  int cpus;    // on which this process may run
  double load; // of the last minute
  uint64_t mem_total_bytes, mem_available_bytes;
  uint64_t cpu_busy_ms, cpu_total_ms; // of all processors since boot
  char kernel[128];                   // "Linux 6.1.0-18-amd64"
  char distribution[128];             // "Debian GNU/Linux 12 (bookworm)"
};
void machine_read(struct machine *machine); // what can't be told is 0 or empty

struct machine_self {
  uint64_t rss_bytes;
  int fds;
  int children; // processes and zombies of ours
};
void machine_read_self(struct machine_self *self);

// Of the file system that holds `path`: 0 or -errno.
int machine_disk(const char *path, uint64_t *total_bytes, uint64_t *available_bytes);
