#include "os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/idmap.h"
#include "base/mem.h"

enum { HELD_TRIES = 1000, HELD_PAUSE_US = 1000 };

struct files {
  struct loop *loop;
  struct idmap fds; // id → descriptor + 1
};

struct files *files_create(struct loop *loop) {
  struct files *files = mem_new(sizeof *files);
  files->loop = loop;
  return files;
}

void files_destroy(struct files *files) {
  if (!files) return;
  size_t at = 0;
  for (void *value; idmap_next(&files->fds, &at, NULL, &value);) close((int)(intptr_t)value - 1);
  idmap_finish(&files->fds);
  free(files);
}

static uint64_t keep(struct files *files, int fd) {
  uint64_t id = loop_new_id(files->loop);
  idmap_set(&files->fds, id, (void *)(intptr_t)(fd + 1));
  return id;
}

static int refused(int fd, int error) {
  close(fd);
  return error;
}

// The file may be removed or replaced between open and flock: only a lock on the file that the path
// names now is one.
static bool same_file(int fd, const char *path) {
  struct stat ours, named;
  return !fstat(fd, &ours) && !stat(path, &named) && ours.st_dev == named.st_dev &&
         ours.st_ino == named.st_ino;
}

static int flock_now(int fd) {
  int result;
  do result = flock(fd, LOCK_EX | LOCK_NB);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

// What the holder wrote. Who writes something itself waits for a holder that has only just come.
static void read_held(int fd, char *held, size_t held_size, bool patient) {
  ssize_t size = 0;
  for (unsigned tries = 0; size == 0 && tries < HELD_TRIES; tries++) {
    if (tries > 0) {
      if (!patient) break;
      usleep(HELD_PAUSE_US);
    }
    if (lseek(fd, 0, SEEK_SET) < 0) break;
    size = fd_read_full(fd, held, held_size - 1);
  }
  held[size > 0 ? size : 0] = '\0';
}

int files_lock(struct files *files, const char *path, const char *content, uint64_t *id, char *held,
               size_t held_size) {
  held[0] = '\0';
  for (;;) {
    int fd = fd_open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return fd;
    int error = flock_now(fd);
    if (error == -EWOULDBLOCK) read_held(fd, held, held_size, content != NULL);
    if (error) return refused(fd, error);
    if (!same_file(fd, path)) {
      close(fd);
      continue;
    }
    if (content && ftruncate(fd, 0) < 0) return refused(fd, -errno);
    if (content) error = fd_write_all(fd, content, strlen(content));
    if (error) return refused(fd, error);
    *id = keep(files, fd);
    return 0;
  }
}

int files_open_append(struct files *files, const char *path, mode_t mode, uint64_t *id) {
  int fd = fd_open(path, O_WRONLY | O_CREAT | O_APPEND, mode);
  if (fd < 0) return fd;
  *id = keep(files, fd);
  return 0;
}

int files_append(struct files *files, uint64_t id, const char *bytes, size_t size) {
  void *value = idmap_get(&files->fds, id);
  return value ? fd_write_all((int)(intptr_t)value - 1, bytes, size) : -ENOENT;
}

int files_close(struct files *files, uint64_t id) {
  void *value = idmap_remove(&files->fds, id);
  if (!value) return -ENOENT;
  close((int)(intptr_t)value - 1);
  return 0;
}
