#include "sys/sys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "host/box.h"
#include "log/needle.h"
#include "sys/json.h"
#include "sys/window.h"

#define CACHED_MAX 256 // compiled expressions kept; then all are forgotten

enum { CACHE = 1, CACHE_COUNT }; // upvalues: expression → box, and how many

static void destroy_needle(void *needle) {
  needle_finish(needle);
  free(needle);
}

static void remember(lua_State *L, const char *regex) { // box on top, stays
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(CACHE_COUNT));
  if (count >= CACHED_MAX) {
    lua_newtable(L);
    lua_replace(L, lua_upvalueindex(CACHE));
    count = 0;
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, lua_upvalueindex(CACHE), regex);
  lua_pushinteger(L, count + 1);
  lua_replace(L, lua_upvalueindex(CACHE_COUNT));
}

// Pushes the box of a compiled expression. NULL: it can't be compiled, and `why` says what is
// wrong.
static const struct needle *compile(lua_State *L, const struct needle_spec *spec, char *why,
                                    size_t why_size) {
  bool whole = strlen(spec->text) == spec->size_bytes; // with a NUL it is wrong anyway
  if (whole && lua_getfield(L, lua_upvalueindex(CACHE), spec->text) != LUA_TNIL)
    return *(struct needle **)lua_touserdata(L, -1);
  void **box = box_push(L, destroy_needle);
  struct needle *needle = calloc(1, sizeof *needle);
  if (!needle) luaL_error(L, "not enough memory");
  if (needle_init(needle, spec, why, why_size)) {
    free(needle);
    return NULL;
  }
  *box = needle;
  remember(L, spec->text);
  return needle;
}

static int check(lua_State *L) {
  char why[200];
  struct needle_spec spec = window_check_pattern(L, 1, 1);
  if (spec.regex && !compile(L, &spec, why, sizeof why)) {
    lua_pushnil(L);
    lua_pushfstring(L, "regular expression '%s': %s", spec.text, why);
    return 2;
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int find(lua_State *L) {
  size_t size, at = 0, line_size;
  char why[200];
  const char *line;
  struct needle_spec spec = window_check_pattern(L, 1, 1);
  const char *text = luaL_checklstring(L, 2, &size);
  if (!spec.regex) {
    lua_pushboolean(L, memmem(text, size, spec.text, spec.size_bytes) != NULL);
    return 1;
  }
  const struct needle *needle = compile(L, &spec, why, sizeof why);
  luaL_argcheck(L, needle, 1, why);
  bool found = size ? needle_next_line(needle, text, size, &at, &line, &line_size)
                    : needle_in_line(needle, text, size);
  lua_pushboolean(L, found);
  return 1;
}

static int hash(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  char digits[17];
  snprintf(digits, sizeof digits, "%016" PRIx64, hash_bytes(text, size));
  lua_pushstring(L, digits);
  return 1;
}

static int width(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_pushinteger(L, (lua_Integer)utf8_width(text, size));
  return 1;
}

static void add_cached(lua_State *L, const char *name, lua_CFunction function) { // cache on top
  lua_pushvalue(L, -1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, function, 2);
  lua_setfield(L, -3, name);
}

int sys_open_text(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hash", hash}, {"width", width}, {"json", json_write}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_newtable(L); // the cache: check and find share it until one of them forgets it
  add_cached(L, "check", check);
  add_cached(L, "find", find);
  lua_pop(L, 1);
  return 1;
}
