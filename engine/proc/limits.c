#include "proc/limits.h"

#include <string.h>
#include <sys/resource.h>

static const struct {
  const char *name;
  int resource;
} limits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

static const size_t limit_count = sizeof limits / sizeof *limits;

int limits_find(const char *name) {
  for (size_t i = 0; i < limit_count; i++)
    if (strcmp(limits[i].name, name) == 0) return limits[i].resource;
  return -1;
}

const char *limits_name(size_t index, int *resource) {
  if (index >= limit_count) return NULL;
  *resource = limits[index].resource;
  return limits[index].name;
}
