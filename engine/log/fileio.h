// Whole transfers on regular files: EINTR and short counts end here.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

// Up to `size` bytes at `offset`, less only at the end of the file: the number, or -errno.
ssize_t fileio_read_at(int fd, void *buffer, size_t size, uint64_t offset);
// All of it: 0 or -errno; what was written before an error stays written.
int fileio_write_at(int fd, const void *bytes, size_t size, uint64_t offset);
// All of it, at the descriptor's position; changes the vector.
int fileio_writev(int fd, struct iovec *vector, int count);
// The directory and what is missing above it, 0755.
int fileio_make_directory(const char *path);
