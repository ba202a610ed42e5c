// Finding programs as execvp does.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// The file that running `name` with this PATH (NULL: the system's default) would execute, absolute
// where PATH is; a name with a slash is itself. -ENOENT when there is none, -EACCES when only files
// that may not be executed, -ENAMETOOLONG.
int program_find(const char *name, const char *path, char *file, size_t size);
bool program_executable(const char *file); // a regular file that we may execute
