#include "lib/lib.h"

#include <stdbool.h>

#include <lauxlib.h>

#include "host/call.h"
#include "lib/effort.h"

#define SORTED_AT_ONCE (1 << 18) // elements: a tenth of a second

enum { READ = 1, WRITE = 2, LENGTH = 4 };

// Argument `index` is a table, or has the metamethods to be used like one.
static void check_table(lua_State *L, int index, int use) {
  static const char *const names[] = {"__index", "__newindex", "__len"};
  if (lua_istable(L, index)) return;
  bool usable = lua_getmetatable(L, index);
  if (!usable) luaL_checktype(L, index, LUA_TTABLE);
  int metatable = lua_gettop(L);
  for (int i = 0; i < 3; i++) {
    if (!(use & 1 << i)) continue;
    lua_pushstring(L, names[i]);
    usable = usable && lua_rawget(L, metatable) != LUA_TNIL;
  }
  if (!usable) luaL_checktype(L, index, LUA_TTABLE);
  lua_settop(L, metatable - 1);
}

// Each function here has the standard library's as its upvalue, for what can't take long.
static int standard(lua_State *L) {
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// A table without metamethods is as long as it says.
static bool is_plain(lua_State *L) {
  return lua_istable(L, 1) && !lua_getmetatable(L, 1);
}

static lua_Integer length_of(lua_State *L, int use) {
  check_table(L, 1, use | LENGTH);
  return luaL_len(L, 1);
}

static lua_Integer after(lua_Integer i) { // wraps
  return (lua_Integer)((lua_Unsigned)i + 1);
}

static void copy_element(lua_State *L, int from, lua_Integer i, int to, lua_Integer j) {
  lua_geti(L, from, i);
  lua_seti(L, to, j);
}

// t[at], t[at + 1], … t[end - 1] one up.
static void shift_up(lua_State *L, lua_Integer at, lua_Integer end) {
  for (lua_Integer i = end; i > at; i--) {
    effort_step(L, i);
    copy_element(L, 1, i - 1, 1, i);
  }
}

static int table_insert(lua_State *L) {
  int given = lua_gettop(L);
  if (given == 3 && is_plain(L)) return standard(L);
  lua_settop(L, given);
  lua_Integer end = after(length_of(L, READ | WRITE)), at = end;
  switch (given) {
  case 2: break;
  case 3:
    at = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    shift_up(L, at, end);
    break;
  default: return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  int given = lua_gettop(L);
  if (given > 1 && is_plain(L)) return standard(L);
  lua_settop(L, given);
  lua_Integer size = length_of(L, READ | WRITE), at = luaL_optinteger(L, 2, size);
  bool within = (lua_Unsigned)at - 1u <= (lua_Unsigned)size;
  luaL_argcheck(L, at == size || within, 1, "position out of bounds");
  lua_geti(L, 1, at); // what is given back
  for (; at < size; at++) {
    effort_step(L, at);
    copy_element(L, 1, at + 1, 1, at);
  }
  lua_pushnil(L);
  lua_seti(L, 1, at);
  return 1;
}

// Elements `first` to `last` of argument 1 to `at` and on in argument `to`.
static void move_elements(lua_State *L, lua_Integer first, lua_Integer last, int to,
                          lua_Integer at) {
  bool overlaps = at > first && at <= last && (to == 1 || lua_compare(L, 1, to, LUA_OPEQ));
  lua_Integer count = last - first + 1;
  lua_Integer next = overlaps ? count - 1 : 0, step = overlaps ? -1 : 1;
  for (lua_Integer i = 0; i < count; i++, next += step) {
    effort_step(L, i);
    copy_element(L, 1, first + next, to, at + next);
  }
}

static int table_move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  lua_Integer at = luaL_checkinteger(L, 4);
  int to = lua_isnoneornil(L, 5) ? 1 : 5;
  check_table(L, 1, READ);
  check_table(L, to, WRITE);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    luaL_argcheck(L, at <= LUA_MAXINTEGER - (last - first), 4, "destination wrap around");
    move_elements(L, first, last, to, at);
  }
  lua_pushvalue(L, to);
  return 1;
}

static int less(lua_State *L) { // a b → boolean
  lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
  return 1;
}

// Between calls of a function the watchdog's hook gets its turn, between comparisons it doesn't.
static int table_sort(lua_State *L) {
  bool compares = lua_istable(L, 1) && lua_isnoneornil(L, 2);
  if (compares && (lua_rawlen(L, 1) > SORTED_AT_ONCE || !is_plain(L))) {
    lua_settop(L, 1);
    lua_pushcfunction(L, less);
  } else if (!compares) {
    call_make_room(L);
  }
  return standard(L);
}

void lib_open_table(lua_State *L) {
  static const luaL_Reg functions[] = {{"insert", table_insert},
                                       {"remove", table_remove},
                                       {"move", table_move},
                                       {"sort", table_sort},
                                       {NULL, NULL}};
  lua_getglobal(L, "table"); // table
  for (const luaL_Reg *function = functions; function->name; function++) {
    lua_getfield(L, -1, function->name);
    lua_pushcclosure(L, function->func, 1);
    lua_setfield(L, -2, function->name); // table
  }
  lua_pop(L, 1);
}
