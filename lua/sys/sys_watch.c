#include "sys/sys.h"

#include <assert.h>
#include <limits.h>

#include "os/dirwatch.h"

static const char *const words[] = {
    [DIRWATCH_WRITTEN] = "written",   [DIRWATCH_CREATED] = "created",
    [DIRWATCH_REMOVED] = "removed",   [DIRWATCH_GONE] = "gone",
    [DIRWATCH_OVERFLOW] = "overflow",
};
static_assert(sizeof words / sizeof *words == DIRWATCH_WHATS, "a word for each");

static int open_set(lua_State *L) {
  uint64_t id;
  int error = dirwatches_open(engine_dirwatches(sys_engine(L)), &id);
  if (error) return sys_fail(L, error, "inotify");
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int add(lua_State *L) {
  lua_Integer id = luaL_checkinteger(L, 1);
  const char *path = sys_path(L, 2);
  int key = dirwatches_add(engine_dirwatches(sys_engine(L)), (uint64_t)id, path);
  if (key < 0) return sys_fail(L, key, "%s", path);
  lua_pushinteger(L, key);
  return 1;
}

static int remove_one(lua_State *L) {
  lua_Integer id = luaL_checkinteger(L, 1), key = luaL_checkinteger(L, 2);
  luaL_argcheck(L, key > 0 && key <= INT_MAX, 2, "a directory's key expected");
  dirwatches_remove(engine_dirwatches(sys_engine(L)), (uint64_t)id, (int)key);
  return 0;
}

int sys_open_watch(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", open_set}, {"add", add}, {"remove", remove_one}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_change(lua_State *L, const struct event *event) {
  const struct change_event *change = (const struct change_event *)event;
  lua_pushinteger(L, change->key);
  lua_pushstring(L, change->name);
  lua_pushstring(L, words[change->what]);
  lua_pushboolean(L, change->directory);
  return 4;
}
