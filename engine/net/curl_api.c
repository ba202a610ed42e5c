#include "net/curl_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct row {
  const char *name;
  size_t offset;
};

#define ROW(member)                                                                                \
  { "curl_" #member, offsetof(struct curl_api, member) }

static const struct row rows[] = {
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

static bool load(struct curl_api *api, char *why, size_t size) {
  void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    snprintf(why, size, "HTTP needs libcurl: %s", dlerror());
    return false;
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    void *function = dlsym(library, rows[i].name);
    if (!function) {
      snprintf(why, size, "HTTP needs a newer libcurl: it has no %s", rows[i].name);
      return false;
    }
    memcpy((char *)api + rows[i].offset, &function, sizeof function);
  }
  if (api->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) return true;
  snprintf(why, size, "libcurl can't be initialised");
  return false;
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
