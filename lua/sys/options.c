#include "sys/options.h"

#include <lauxlib.h>
#include <string.h>

const char *options_text(lua_State *L, int table, const char *name, int optional) {
  size_t size;
  int type = lua_getfield(L, table, name);
  if (type == LUA_TNIL && optional) {
    lua_pop(L, 1);
    return NULL;
  }
  if (type != LUA_TSTRING) luaL_error(L, "%s: text expected, got %s", name, lua_typename(L, type));
  const char *text = lua_tolstring(L, -1, &size);
  if (strlen(text) != size) luaL_error(L, "%s: holds a NUL", name);
  lua_pop(L, 1); // the table keeps it
  return text;
}

lua_Integer options_size(lua_State *L, int table, const char *name, lua_Integer fallback) {
  int exact = 1;
  lua_Integer value = fallback;
  if (lua_getfield(L, table, name) != LUA_TNIL)
    value = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &exact) : -1;
  if (!exact || value < 0) luaL_error(L, "%s: an integer, 0 or more, expected", name);
  lua_pop(L, 1);
  return value;
}

int options_choice(lua_State *L, int table, const char *name, const char *const *choices) {
  const char *word = options_text(L, table, name, 1);
  for (int i = 0; word && choices[i]; i++)
    if (strcmp(word, choices[i]) == 0) return i;
  if (!word) return 0;
  luaL_Buffer list;
  luaL_buffinit(L, &list);
  for (int i = 0; choices[i]; i++) {
    if (i) luaL_addstring(&list, ", ");
    luaL_addstring(&list, choices[i]);
  }
  luaL_pushresult(&list);
  return luaL_error(L, "%s: one of %s expected, got '%s'", name, lua_tostring(L, -1), word);
}
