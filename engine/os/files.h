// Files held open by id: locks that last for life, and files that are appended to.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

struct files;

struct files *files_create(struct loop *loop);
void files_destroy(struct files *files); // NULL is fine; closes all

// Takes an exclusive flock on `path`, made when absent, and puts `content` (may be NULL) into it.
// -EWOULDBLOCK: another process has it; what it wrote is then in `held` (cut, NUL-terminated),
// for which who gives `content` waits a moment.
int files_lock(struct files *files, const char *path, const char *content, uint64_t *id, char *held,
               size_t held_size);
int files_open_append(struct files *files, const char *path, mode_t mode, uint64_t *id);
int files_append(struct files *files, uint64_t id, const char *bytes, size_t size); // -ENOENT: gone
int files_close(struct files *files, uint64_t id);                                  // -ENOENT: gone
