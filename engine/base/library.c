#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool library_load(const struct library *library, void *table, char *why, size_t why_size) {
  void *opened = dlopen(library->file, library->how | RTLD_LOCAL);
  if (!opened) {
    snprintf(why, why_size, "%s needs %s: %s", library->purpose, library->name, dlerror());
    return false;
  }
  for (size_t i = 0; i < library->count; i++) {
    const struct library_row *row = &library->rows[i];
    void *function = dlsym(opened, row->name);
    if (!function) {
      snprintf(why, why_size, "%s needs a newer %s: it has no %s", library->purpose, library->name,
               row->name);
      return false;
    }
    memcpy((char *)table + row->offset, &function, sizeof function);
  }
  return true;
}
