#include "log/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "log/index.h"

static bool present(const char *stem, unsigned rotation) {
  char *index = index_path(stem, "idx", rotation), *bytes = index_path(stem, "log", rotation);
  bool found = access(index, F_OK) == 0 || access(bytes, F_OK) == 0;
  free(index);
  free(bytes);
  return found;
}

static unsigned highest(const char *stem) {
  unsigned rotation = 0;
  while (present(stem, rotation + 1)) rotation++;
  return rotation;
}

unsigned rotate_oldest(const char *stem) {
  unsigned rotation = 0;
  // while names move up there is one free place among them
  while (present(stem, rotation + 1) || present(stem, rotation + 2)) rotation++;
  return rotation;
}

static bool held(const char *stem, unsigned rotation) {
  char *index = index_path(stem, "idx", rotation);
  int fd = open(index, O_RDONLY | O_CLOEXEC);
  bool refused = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  free(index);
  return refused;
}

bool rotate_is_read(const char *stem) {
  return held(stem, highest(stem));
}

static int move(const char *stem, const char *suffix, unsigned rotation) {
  char *from = index_path(stem, suffix, rotation), *to = index_path(stem, suffix, rotation + 1);
  int result = rename(from, to) == 0 || errno == ENOENT ? 0 : -errno;
  free(from);
  free(to);
  return result;
}

int rotate_shift(const char *stem) {
  int result = 0;
  for (unsigned rotation = highest(stem) + 1; rotation-- > 0 && result == 0;) {
    result = move(stem, "idx", rotation);
    if (result == 0) result = move(stem, "log", rotation);
  }
  return result;
}

// False when a reader holds it.
static bool delete (const char *stem, unsigned rotation) {
  char *index = index_path(stem, "idx", rotation), *bytes = index_path(stem, "log", rotation);
  int fd = open(index, O_RDONLY | O_CLOEXEC);
  bool ours = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (ours) {
    unlink(index);
    unlink(bytes);
  }
  if (fd >= 0) close(fd);
  free(index);
  free(bytes);
  return ours;
}

void rotate_prune(const char *stem, unsigned max_files) {
  for (unsigned rotation = highest(stem); rotation > max_files; rotation--)
    if (!delete (stem, rotation)) return;
}
