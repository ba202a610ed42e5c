// Descriptors: the loops that EINTR and partial transfers ask for.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// All of it, waiting where the descriptor doesn't block: 0 or -errno.
int fd_write_all(int fd, const void *bytes, size_t size);
// Once: the number of bytes, 0 at the end, or -errno.
ssize_t fd_read(int fd, void *buffer, size_t size);
// The same, waiting where the descriptor doesn't block.
ssize_t fd_read_waiting(int fd, void *buffer, size_t size);
// Up to `size` bytes, less only at the end: the number, or -errno.
ssize_t fd_read_full(int fd, void *buffer, size_t size);
// open(2) with O_CLOEXEC: the descriptor, or -errno.
int fd_open(const char *path, int flags, mode_t mode);
// Closes and forgets: *fd is -1 from here. -1 is fine.
void fd_close(int *fd);
// Opens /dev/null on those of 0, 1 and 2 that are closed, so that no other file gets these numbers.
void fd_claim_standard(void);
