#include "net/curl_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/library.h"

#define ROW(member)                                                                                \
  { "curl_" #member, offsetof(struct curl_api, member) }

static const struct library_row rows[] = {
    ROW(global_init),
    ROW(easy_init),
    ROW(easy_setopt),
    ROW(easy_getinfo),
    ROW(easy_reset),
    ROW(easy_pause),
    ROW(easy_cleanup),
    ROW(easy_strerror),
    ROW(multi_init),
    ROW(multi_setopt),
    ROW(multi_add_handle),
    ROW(multi_remove_handle),
    ROW(multi_socket_action),
    ROW(multi_assign),
    ROW(multi_info_read),
    ROW(multi_cleanup),
    ROW(slist_append),
    ROW(slist_free_all),
    ROW(url),
    ROW(url_cleanup),
    ROW(url_set),
    ROW(url_get),
    ROW(free),
};
_Static_assert(sizeof rows / sizeof *rows * sizeof(void *) == sizeof(struct curl_api),
               "a row for each function");

static const struct library libcurl = {.file = "libcurl.so.4",
                                       .name = "libcurl",
                                       .purpose = "HTTP",
                                       .how = RTLD_LAZY,
                                       .rows = rows,
                                       .count = sizeof rows / sizeof *rows};

static bool load(struct curl_api *api, char *why, size_t size) {
  if (!library_load(&libcurl, api, why, size)) return false;
  if (api->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf(why, size, "libcurl can't be initialised");
    return false;
  }
  library_drop_pages();
  return true;
}

const struct curl_api *curl_api_get(const char **why) {
  static struct curl_api api;
  static char problem[256];
  static bool tried, loaded;
  if (!tried) loaded = load(&api, problem, sizeof problem);
  tried = true;
  if (!loaded) *why = problem;
  return loaded ? &api : NULL;
}
