// Resource limits by name: RLIMIT_NOFILE is "nofile".
#pragma once
#include <stddef.h>

// The resource's number, or -1.
int limits_find(const char *name);
// The index-th name, NULL behind the last; *resource is its number.
const char *limits_name(size_t index, int *resource);
