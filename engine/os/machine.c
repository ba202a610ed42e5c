#include "os/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"

// The beginning of a small file, as text; empty when it can't be read.
static const char *slurp(const char *path, char *buffer, size_t size) {
  int fd = fd_open(path, O_RDONLY, 0);
  ssize_t count = fd < 0 ? 0 : fd_read_full(fd, buffer, size - 1);
  if (fd >= 0) close(fd);
  buffer[count > 0 ? count : 0] = '\0';
  return buffer;
}

// The number behind `key` at the beginning of a line.
static uint64_t number_after(const char *text, const char *key) {
  for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
    if (!strncmp(at, key, strlen(key))) return strtoull(at + strlen(key), NULL, 10);
  return 0;
}

static void read_memory(struct machine *machine) {
  char buffer[4096];
  slurp("/proc/meminfo", buffer, sizeof buffer);
  machine->mem_total_bytes = number_after(buffer, "MemTotal:") * 1024;
  machine->mem_available_bytes = number_after(buffer, "MemAvailable:") * 1024;
}

static void read_cpu(struct machine *machine) {
  char buffer[512];
  unsigned long long field[8] = {0}; // user nice system idle iowait irq softirq steal
  slurp("/proc/stat", buffer, sizeof buffer);
  sscanf(buffer, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &field[0], &field[1], &field[2],
         &field[3], &field[4], &field[5], &field[6], &field[7]);
  uint64_t total = 0, idle = field[3] + field[4];
  for (int i = 0; i < 8; i++) total += field[i];
  uint64_t tick_ms = 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
  machine->cpu_total_ms = total * tick_ms;
  machine->cpu_busy_ms = (total - idle) * tick_ms;
}

static void read_distribution(struct machine *machine) {
  static const char key[] = "PRETTY_NAME=";
  char buffer[4096];
  const char *at = strstr(slurp("/etc/os-release", buffer, sizeof buffer), key);
  if (!at) return;
  at += sizeof key - 1;
  if (*at == '"') at++;
  snprintf(machine->distribution, sizeof machine->distribution, "%.*s", (int)strcspn(at, "\"\n"),
           at);
}

void machine_read(struct machine *machine) {
  *machine = (struct machine){0};
  cpu_set_t cpus;
  struct utsname name;
  if (!sched_getaffinity(0, sizeof cpus, &cpus)) machine->cpus = CPU_COUNT(&cpus);
  if (getloadavg(&machine->load, 1) < 1) machine->load = 0;
  read_memory(machine);
  read_cpu(machine);
  read_distribution(machine);
  if (!uname(&name))
    snprintf(machine->kernel, sizeof machine->kernel, "%.60s %.64s", name.sysname, name.release);
}

static int count_entries(const char *path) {
  DIR *dir = opendir(path);
  if (!dir) return 0;
  int count = 0;
  for (const struct dirent *entry; (entry = readdir(dir));) count += entry->d_name[0] != '.';
  closedir(dir);
  return count;
}

// Each thread has children of its own.
static int count_children(void) {
  DIR *dir = opendir("/proc/self/task");
  if (!dir) return 0;
  int count = 0;
  for (const struct dirent *entry; (entry = readdir(dir));) {
    char path[64], buffer[65536];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/children", entry->d_name);
    for (const char *at = slurp(path, buffer, sizeof buffer); *at; at++) count += *at == ' ';
  }
  closedir(dir);
  return count;
}

void machine_read_self(struct machine_self *self) {
  char buffer[4096];
  slurp("/proc/self/status", buffer, sizeof buffer);
  self->rss_bytes = number_after(buffer, "VmRSS:") * 1024;
  self->fds = count_entries("/proc/self/fd") - 1; // the one that reads them
  self->children = count_children();
}

int machine_disk(const char *path, uint64_t *total_bytes, uint64_t *available_bytes) {
  struct statvfs info;
  if (statvfs(path, &info) < 0) return -errno;
  *total_bytes = (uint64_t)info.f_blocks * info.f_frsize;
  *available_bytes = (uint64_t)info.f_bavail * info.f_frsize;
  return 0;
}
