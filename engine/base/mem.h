// Allocation for small engine objects: exhaustion ends the process, so callers need no error path.
// Sizes that come from outside (a body, a line) use malloc and fail the operation instead.
#pragma once
#include <stddef.h>

void *mem_new(size_t size_bytes);                    // zeroed
void *mem_resize(void *block, size_t size_bytes);    // not zeroed beyond the old size
char *mem_strdup(const char *text);                  // NULL gives NULL
char *mem_dup(const void *bytes, size_t size_bytes); // a copy with a NUL behind it
