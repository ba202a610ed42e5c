#include "tty/edit_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct row {
  const char *name;
  size_t offset;
};

#define ROW(member)                                                                                \
  { #member, offsetof(struct edit_api, member) }

static const struct row rows[] = {
    ROW(el_init),   ROW(el_end),       ROW(el_set),       ROW(el_wset),      ROW(el_get),
    ROW(el_gets),   ROW(el_line),      ROW(el_insertstr), ROW(el_deletestr), ROW(el_source),
    ROW(el_resize), ROW(history_init), ROW(history_end),  ROW(history),
};
_Static_assert(sizeof rows / sizeof *rows * sizeof(void *) == sizeof(struct edit_api),
               "a row for each function");

static bool load(struct edit_api *api, char *why, size_t size) {
  void *library = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(why, size, "editing lines needs libedit: %s", dlerror());
    return false;
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    void *function = dlsym(library, rows[i].name);
    if (!function) {
      snprintf(why, size, "editing lines needs a newer libedit: it has no %s", rows[i].name);
      return false;
    }
    memcpy((char *)api + rows[i].offset, &function, sizeof function);
  }
  return true;
}

const struct edit_api *edit_api_get(const char **why) {
  static struct edit_api api;
  static char problem[256];
  static bool tried, loaded;
  if (!tried) loaded = load(&api, problem, sizeof problem);
  tried = true;
  if (!loaded) *why = problem;
  return loaded ? &api : NULL;
}
