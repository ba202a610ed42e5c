// Functions of a shared library that is opened at first need, so that who never uses it doesn't pay
// for its loading. They go to a table of pointers, a row each.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct library_row {
  const char *name; // of the function
  size_t offset;    // of its pointer in the table
};

struct library {
  const char *file;    // its soname, such as libcurl.so.4
  const char *name;    // for people, such as libcurl
  const char *purpose; // what needs it, for people: `HTTP`
  int how;             // RTLD_LAZY or RTLD_NOW
  const struct library_row *rows;
  size_t count;
};

// Gives back the pages of all libraries that hold nothing but what their files do. Loading and
// first calls have read most of them for once; those that are used again come from the kernel's
// cache.
void library_drop_pages(void);

// Fills `table`; the library stays open. False: `why` says what is missing, for people.
bool library_load(const struct library *library, void *table, char *why, size_t why_size);
