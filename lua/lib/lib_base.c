#include "lib/lib.h"

#include <stdbool.h>

#include <lauxlib.h>

#include "host/call.h"
#include "host/host.h"

// A finalizer of a script's. Lua runs it wherever memory is being collected, with hooks switched
// off: on a thread of its own they are on, and it has a budget of its own.
static int finalize(lua_State *L) { // object; upvalue: the script's function
  struct watchdog *watchdog = &host_of(L)->watchdog;
  struct watchdog_level level;
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 2);
  watchdog_enter(watchdog, &level, thread, WATCHDOG_FINALIZER_MS);
  bool ok = call_protected(thread, 1, 0);
  watchdog_leave(watchdog, &level);
  if (!ok) call_report(thread, "error in a finalizer");
  return 0;
}

// Lua looks for __gc when a metatable is set; one that comes later doesn't count.
static void guard_finalizer(lua_State *L) { // object metatable
  lua_pushvalue(L, lua_upvalueindex(1));
  bool guards = lua_rawget(L, 2) == LUA_TFUNCTION && lua_tocfunction(L, -1) != finalize;
  if (guards) { // object metatable function
    lua_pushcclosure(L, finalize, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  lua_settop(L, 2);
}

static int set_metatable(lua_State *L) { // upvalue: "__gc"
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) guard_finalizer(L);
  lua_setmetatable(L, 1);
  return 1;
}

void lib_open_base(lua_State *L) {
  lua_pushliteral(L, "__gc");
  lua_pushcclosure(L, set_metatable, 1);
  lua_setglobal(L, "setmetatable");
}
