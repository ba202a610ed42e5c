// Whole-file operations. Results are 0 or -errno; paths are the kernel's, NUL-terminated.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// All of a file into *bytes, which the caller frees (a NUL stands behind it). -EFBIG above
// `max_bytes`, -EISDIR for a directory; a FIFO without a writer is empty, never waited for.
int fs_read(const char *path, size_t max_bytes, char **bytes, size_t *size_bytes);

// Up to `max_bytes` of a file from `offset` on into *bytes, which the caller frees; 0 bytes behind
// its end.
int fs_read_at(const char *path, off_t offset, size_t max_bytes, char **bytes, size_t *size_bytes);

enum fs_write_how {
  FS_WRITE_REPLACE, // truncate and write
  FS_WRITE_APPEND,
  FS_WRITE_ATOMIC, // a file beside it, synced and renamed: readers see the old or the new one
};
int fs_write(const char *path, const char *bytes, size_t size_bytes, mode_t mode,
             enum fs_write_how how);

int fs_mkdir(const char *path, mode_t mode); // with its parents; an existing directory is fine

struct fs_names {
  char **names; // sorted by byte
  size_t count;
};
// The caller frees *names with fs_names_destroy. `directories`: only these, and links to them.
int fs_list(const char *path, bool directories, struct fs_names **names);
void fs_names_destroy(struct fs_names *names);

int fs_remove(const char *path, bool tree); // a file, an empty directory, or all of a tree
// Points a symbolic link at `target`, whatever it named before; never replaces what is no link.
int fs_symlink(const char *target, const char *path);
