#include "sys/pairs.h"

#include <lauxlib.h>
#include <string.h>

// A header's value may be a list: it is sent once for each.
static size_t entries(lua_State *L, int index) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
    count += lua_istable(L, -1) ? lua_rawlen(L, -1) : 1;
  return count;
}

static struct http_pair check_pair(lua_State *L, int argument, int name) {
  if (lua_type(L, name) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, argument, "headers: a table of strings by name expected");
  size_t size;
  struct http_pair pair = {lua_tostring(L, name), lua_tolstring(L, -1, &size)};
  if (!http_pair_valid(&pair) || strlen(pair.value) != size)
    luaL_argerror(L, argument, lua_pushfstring(L, "header '%s' can't be sent", pair.name));
  return pair;
}

const struct http_pair *pairs_check(lua_State *L, int index, size_t *count) {
  index = lua_absindex(L, index);
  *count = 0;
  if (lua_isnoneornil(L, index)) {
    lua_pushnil(L);
    return NULL;
  }
  luaL_checktype(L, index, LUA_TTABLE);
  size_t size = entries(L, index);
  struct http_pair *pairs = lua_newuserdatauv(L, size * sizeof *pairs + 1, 0); // pairs
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {                    // pairs name value
    int name = lua_gettop(L) - 1;
    if (!lua_istable(L, -1)) {
      pairs[(*count)++] = check_pair(L, index, name);
      continue;
    }
    for (size_t i = 1, n = lua_rawlen(L, name + 1); i <= n; i++, lua_pop(L, 1)) {
      lua_rawgeti(L, name + 1, (lua_Integer)i); // pairs name list value
      pairs[(*count)++] = check_pair(L, index, name);
    }
  }
  return pairs;
}

void pairs_push(lua_State *L, const struct http_pair *pairs, size_t count, const char *joint) {
  lua_createtable(L, 0, (int)count); // table
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, pairs[i].name); // table name
    lua_pushvalue(L, -1);
    if (joint && lua_rawget(L, -3) == LUA_TSTRING) // table name old
      lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), joint, pairs[i].value);
    else
      lua_pushstring(L, pairs[i].value);
    lua_replace(L, -2); // table name value
    lua_rawset(L, -3);  // table
  }
}
