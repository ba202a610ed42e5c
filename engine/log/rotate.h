// The row of a log's files. Names move up by one; the index always before its bytes, so that a
// reader who opens an index, then the bytes, and finds the index still under its name has a pair.
// What is above the wished number goes oldest first, and stops at one that a reader holds by
// flock(LOCK_SH) on its index: followers lose nothing.
#pragma once
#include <stdbool.h>

// `.log` and `.idx` become `.1`, and so on: 0 or -errno.
int rotate_shift(const char *stem);
// Deletes what is above `max_files`, as far as nobody holds it.
void rotate_prune(const char *stem, unsigned max_files);
// The highest number in the row, also while another process moves the names.
unsigned rotate_oldest(const char *stem);
// Whether a reader holds the oldest file of the row.
bool rotate_is_read(const char *stem);
