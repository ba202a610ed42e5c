#include "os/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool program_executable(const char *file) {
  struct stat info;
  return !stat(file, &info) && S_ISREG(info.st_mode) && !access(file, X_OK);
}

static int try_file(const char *file) {
  struct stat info;
  if (stat(file, &info) < 0 || !S_ISREG(info.st_mode)) return -ENOENT;
  return access(file, X_OK) < 0 ? -EACCES : 0;
}

static int format_file(char *file, size_t size, const char *dir, size_t dir_size,
                       const char *name) {
  const char *between = dir_size && dir[dir_size - 1] != '/' ? "/" : "";
  int length = snprintf(file, size, "%.*s%s%s", (int)dir_size, dir, between, name);
  return length < (int)size ? 0 : -ENAMETOOLONG;
}

int program_find(const char *name, const char *path, char *file, size_t size) {
  if (!*name) return -ENOENT;
  if (strchr(name, '/')) {
    int error = format_file(file, size, "", 0, name);
    return error ? error : try_file(file);
  }
  int result = -ENOENT;
  for (const char *at = path ? path : "/usr/local/bin:/usr/bin:/bin";; at++) {
    size_t length = strcspn(at, ":");
    int error = length ? format_file(file, size, at, length, name)
                       : format_file(file, size, ".", 1, name); // an empty part is here
    if (!error) error = try_file(file);
    if (!error) return 0;
    if (error == -EACCES) result = error;
    at += length;
    if (!*at) return result;
  }
}
