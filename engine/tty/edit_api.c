#include "tty/edit_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/library.h"

#define ROW(member)                                                                                \
  { #member, offsetof(struct edit_api, member) }

static const struct library_row rows[] = {
    ROW(el_init),   ROW(el_end),       ROW(el_set),       ROW(el_wset),      ROW(el_get),
    ROW(el_gets),   ROW(el_line),      ROW(el_insertstr), ROW(el_deletestr), ROW(el_source),
    ROW(el_resize), ROW(history_init), ROW(history_end),  ROW(history),
};
_Static_assert(sizeof rows / sizeof *rows * sizeof(void *) == sizeof(struct edit_api),
               "a row for each function");

static const struct library libedit = {.file = "libedit.so.2",
                                       .name = "libedit",
                                       .purpose = "editing lines",
                                       .how = RTLD_NOW,
                                       .rows = rows,
                                       .count = sizeof rows / sizeof *rows};

const struct edit_api *edit_api_get(const char **why) {
  static struct edit_api api;
  static char problem[256];
  static bool tried, loaded;
  if (!tried) loaded = library_load(&libedit, &api, problem, sizeof problem);
  tried = true;
  if (!loaded) *why = problem;
  return loaded ? &api : NULL;
}
