#include "os/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define READ_STEP 65536

static int close_with(int fd, int result) {
  if (close(fd) < 0 && !result && errno != EINTR) return -errno;
  return result;
}

// Reads to the end, for files of /proc have no size. One byte beyond `max` tells too large ones.
static int read_all(int fd, size_t hint, size_t max, char **bytes, size_t *size_bytes) {
  size_t capacity = hint + 1, size = 0;
  char *buffer = malloc(capacity + 1);
  for (;;) {
    ssize_t count = buffer ? fd_read_full(fd, buffer + size, capacity - size) : -ENOMEM;
    if (count > 0) size += (size_t)count;
    if (count >= 0 && size > max) count = -EFBIG;
    if (count < 0) {
      free(buffer);
      return (int)count;
    }
    if (size < capacity) break;
    capacity = capacity * 2 > READ_STEP ? capacity * 2 : READ_STEP;
    char *grown = realloc(buffer, capacity + 1);
    if (!grown) free(buffer);
    buffer = grown;
  }
  buffer[size] = '\0';
  *bytes = buffer;
  *size_bytes = size;
  return 0;
}

int fs_read(const char *path, size_t max_bytes, char **bytes, size_t *size_bytes) {
  int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  struct stat info;
  int result = fstat(fd, &info) < 0 ? -errno : 0;
  if (!result && S_ISREG(info.st_mode) && (uintmax_t)info.st_size > max_bytes) result = -EFBIG;
  size_t hint = !result && S_ISREG(info.st_mode) ? (size_t)info.st_size : 0;
  if (!result) result = read_all(fd, hint, max_bytes, bytes, size_bytes);
  close(fd);
  return result;
}

int fs_read_at(const char *path, off_t offset, size_t max_bytes, char **bytes, size_t *size_bytes) {
  int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  char *buffer = malloc(max_bytes + 1);
  ssize_t size = !buffer                           ? -ENOMEM
                 : lseek(fd, offset, SEEK_SET) < 0 ? -errno
                                                   : fd_read_full(fd, buffer, max_bytes);
  close(fd);
  if (size < 0) {
    free(buffer);
    return (int)size;
  }
  *bytes = buffer;
  *size_bytes = (size_t)size;
  return 0;
}

static int write_to(int fd, const char *bytes, size_t size) {
  return fd < 0 ? fd : close_with(fd, fd_write_all(fd, bytes, size));
}

static int write_beside(int fd, mode_t mode, const char *bytes, size_t size) {
  int result = fd_write_all(fd, bytes, size);
  if (!result && fchmod(fd, mode) < 0) result = -errno;
  if (!result && fdatasync(fd) < 0 && errno != EINVAL && errno != EROFS) result = -errno;
  return close_with(fd, result);
}

static int write_atomic(const char *path, const char *bytes, size_t size, mode_t mode) {
  char beside[PATH_MAX];
  int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
  if (length >= (int)sizeof beside) return -ENAMETOOLONG;
  int fd = mkostemp(beside, O_CLOEXEC);
  if (fd < 0) return -errno;
  int result = write_beside(fd, mode, bytes, size);
  if (!result && rename(beside, path) < 0) result = -errno;
  if (result) unlink(beside);
  return result;
}

int fs_write(const char *path, const char *bytes, size_t size_bytes, mode_t mode,
             enum fs_write_how how) {
  switch (how) {
  case FS_WRITE_REPLACE:
    return write_to(fd_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, mode), bytes,
                    size_bytes);
  case FS_WRITE_APPEND:
    return write_to(fd_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, mode), bytes,
                    size_bytes);
  case FS_WRITE_ATOMIC: return write_atomic(path, bytes, size_bytes, mode);
  }
  return -EINVAL;
}

static int make_one(const char *path, mode_t mode) {
  if (!mkdir(path, mode)) return 0;
  struct stat info;
  int error = errno;
  if (error == EEXIST || error == EROFS ||
      error == EACCES) { // an existing one may say any of these
    if (!stat(path, &info)) return S_ISDIR(info.st_mode) ? 0 : -ENOTDIR;
  }
  return -error;
}

int fs_mkdir(const char *path, mode_t mode) {
  char part[PATH_MAX];
  size_t size = strlen(path);
  if (!size) return -ENOENT;
  if (size >= sizeof part) return -ENAMETOOLONG;
  memcpy(part, path, size + 1);
  for (char *at = part + 1; *at; at++) {
    if (*at != '/' || at[-1] == '/') continue;
    *at = '\0';
    int result = make_one(part, 0755);
    if (result) return result;
    *at = '/';
  }
  return make_one(part, mode);
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct fs_names *names, size_t *capacity, const char *name) {
  if (names->count == *capacity) {
    size_t wanted = *capacity ? *capacity * 2 : 32;
    char **grown = realloc(names->names, wanted * sizeof *grown);
    if (!grown) return -ENOMEM;
    names->names = grown;
    *capacity = wanted;
  }
  char *copy = strdup(name);
  if (!copy) return -ENOMEM;
  names->names[names->count++] = copy;
  return 0;
}

static bool is_directory(DIR *dir, const struct dirent *entry) {
  struct stat info;
  if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
  return fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

static int read_names(DIR *dir, bool directories, struct fs_names *names) {
  size_t capacity = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(dir);
    if (!entry) return -errno;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (directories && !is_directory(dir, entry)) continue;
    int result = add_name(names, &capacity, entry->d_name);
    if (result) return result;
  }
}

int fs_list(const char *path, bool directories, struct fs_names **names) {
  DIR *dir = opendir(path);
  if (!dir) return -errno;
  struct fs_names *found = calloc(1, sizeof *found);
  int result = found ? read_names(dir, directories, found) : -ENOMEM;
  closedir(dir);
  if (result) {
    fs_names_destroy(found);
    return result;
  }
  if (found->count) qsort(found->names, found->count, sizeof *found->names, compare_names);
  *names = found;
  return 0;
}

void fs_names_destroy(struct fs_names *names) {
  if (!names) return;
  for (size_t i = 0; i < names->count; i++) free(names->names[i]);
  free(names->names);
  free(names);
}

static int remove_visited(const char *path, const struct stat *info, int type, struct FTW *ftw) {
  (void)info;
  (void)ftw;
  int result = type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
  return result < 0 && errno != ENOENT ? errno : 0;
}

int fs_remove(const char *path, bool tree) {
  if (!unlink(path)) return 0;
  if (errno != EISDIR && errno != EPERM) return -errno;
  if (!tree) return rmdir(path) < 0 ? -errno : 0;
  int error = nftw(path, remove_visited, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  return error < 0 ? -errno : -error;
}

int fs_symlink(const char *target, const char *path) {
  struct stat info;
  if (!symlink(target, path)) return 0;
  if (errno != EEXIST) return -errno;
  if (lstat(path, &info) < 0) return -errno;
  if (!S_ISLNK(info.st_mode)) return -EEXIST;
  char beside[PATH_MAX];
  int length = snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
  if (length >= (int)sizeof beside) return -ENAMETOOLONG;
  unlink(beside);
  if (symlink(target, beside) < 0) return -errno;
  if (!rename(beside, path)) return 0;
  int error = errno;
  unlink(beside);
  return -error;
}
