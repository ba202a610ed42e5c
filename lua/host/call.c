#include "host/call.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "host/host.h"

static char no_memory_key; // in the registry: the error table for exhausted memory
#define ROOM 200           // slots: some ten calls deep

static char comes_back; // what a coroutine leaves with that is to be gone on with at once

static int tostring(lua_State *L) { // value → string
  luaL_tolstring(L, 1, NULL);
  return 1;
}

// Pushes the error at `index` as text. An error's own __tostring may fail as well.
static void push_message(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
  } else if (lua_isnil(L, index)) {
    lua_pushliteral(L, "an error without a message");
  } else {
    lua_pushcfunction(L, tostring);
    lua_pushvalue(L, index);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) return;
    lua_pop(L, 1);
    lua_pushfstring(L, "an error of type %s that can't be shown", luaL_typename(L, index));
  }
}

void call_describe_error(lua_State *L, lua_State *thread) {
  luaL_checkstack(L, 6, NULL);
  lua_createtable(L, 0, 2); // error table
  push_message(L, -2);
  lua_setfield(L, -2, "message");
  luaL_traceback(L, thread, NULL, L == thread ? 1 : 0);
  lua_setfield(L, -2, "traceback");
  lua_remove(L, -2); // table
}

static int describe(lua_State *L) {
  lua_settop(L, 1);
  call_describe_error(L, L);
  return 1;
}

// What a failed call left on top may be no table: memory was exhausted, or the handler failed.
static void settle(lua_State *L) {
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &no_memory_key);
}

bool call_protected(lua_State *L, int nargs, int nresults) {
  int function = lua_gettop(L) - nargs;
  lua_pushcfunction(L, describe);
  lua_insert(L, function);
  int status = lua_pcall(L, nargs, nresults, function);
  lua_remove(L, function);
  if (status == LUA_OK) return true;
  settle(L);
  return false;
}

void call_report(lua_State *L, const char *doing) {
  const char *message = "not enough memory", *traceback = "";
  if (lua_istable(L, -1) && lua_checkstack(L, 4)) {
    lua_pushnil(L);
    while (lua_next(L, -2)) { // lua_getfield would make strings; this can't fail
      if (lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TSTRING) {
        if (!strcmp(lua_tostring(L, -2), "message")) message = lua_tostring(L, -1);
        if (!strcmp(lua_tostring(L, -2), "traceback")) traceback = lua_tostring(L, -1);
      }
      lua_pop(L, 1);
    }
  }
  fprintf(stderr, "pactlua: %s%s%s%s%s\n", doing, *doing ? ": " : "", message,
          *traceback ? "\n" : "", traceback);
  lua_pop(L, 1);
}

static int finish_try(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1; // below: the handler
  settle(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

int call_try(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, describe);
  lua_insert(L, 1);
  lua_pushboolean(L, 1); // the first result
  lua_insert(L, 2);      // describe true fn args…
  return finish_try(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 0, finish_try), 0);
}

// The handler of an xpcall. Lua runs handlers before it leaves the place of the error, and those of
// an interrupted script with hooks switched off: there it must not be run at all.
static int guarded_handler(lua_State *L) { // upvalue: the script's own
  if (watchdog_tripped(&host_of(L)->watchdog)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int finish_xpcall(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1; // below: the handler
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int call_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_pushboolean(L, 1);
  lua_rotate(L, 1, 2); // handler true fn msgh args…
  lua_remove(L, 4);    // handler true fn args…
  int nargs = lua_gettop(L) - 3;
  return finish_xpcall(L, lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, finish_xpcall), 0);
}

static int left(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 1;
}

// The chain of `..` that calls a __concat goes on, in Lua 5.4.4, at an address it took before the
// call, wherever the stack is by then. One that was left and is gone on with looks for its place.
int call_join(lua_State *L) {
  lua_settop(L, 2);
  for (int i = 1; i <= 2; i++) {
    if (lua_isstring(L, i)) continue;
    luaL_tolstring(L, i, NULL);
    lua_replace(L, i);
  }
  lua_concat(L, 2);
  if (!lua_isyieldable(L)) return 1;
  lua_pushlightuserdata(L, &comes_back);
  return lua_yieldk(L, 1, 0, left);
}

void call_make_room(lua_State *L) {
  luaL_checkstack(L, ROOM, NULL);
}

static int resume(lua_State *L, lua_State *thread, int nargs, int *count) {
  int status = lua_resume(thread, L, nargs, count);
  while (status == LUA_YIELD && *count == 1 && lua_touserdata(thread, -1) == &comes_back) {
    lua_pop(thread, 1);
    status = lua_resume(thread, L, 0, count);
  }
  return status;
}

int call_resume(lua_State *L, lua_State *thread, int nargs) {
  if (!lua_checkstack(thread, nargs)) {
    lua_pop(L, nargs);
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, thread, nargs);
  int count = 0;
  int status = resume(L, thread, nargs, &count);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(thread, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, count + 1)) {
    lua_pop(thread, count);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(thread, L, count);
  return count;
}

// A coroutine that can't be resumed: pushes why.
static bool resumable(lua_State *L, lua_State *thread) {
  int status = lua_status(thread);
  lua_Debug frame;
  if (status == LUA_YIELD) return true;
  bool busy = thread == L || lua_getstack(thread, 0, &frame);
  if (status == LUA_OK && !busy && lua_gettop(thread) > 0) return true;
  bool dead = status != LUA_OK || !busy;
  lua_pushfstring(L, "cannot resume %s coroutine", dead ? "dead" : "non-suspended");
  return false;
}

static lua_State *check_thread(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTHREAD);
  return lua_tothread(L, 1);
}

int call_resume_budget(lua_State *L) {
  lua_State *thread = check_thread(L);
  lua_Integer budget_ms = luaL_checkinteger(L, 2);
  luaL_argcheck(L, budget_ms >= 0 && budget_ms <= 86400000, 2, "milliseconds of a day at most");
  int count = -1;
  if (resumable(L, thread)) {
    struct watchdog *watchdog = &host_of(L)->watchdog;
    struct watchdog_level level;
    watchdog_enter(watchdog, &level, thread, (int)budget_ms);
    count = call_resume(L, thread, lua_gettop(L) - 2);
    watchdog_leave(watchdog, &level);
  }
  lua_pushboolean(L, count >= 0);
  lua_insert(L, count >= 0 ? -count - 1 : -2);
  return count >= 0 ? count + 1 : 2;
}

// The coroutine library over call_resume ---------------------------------------------------------

static int resume_watched(lua_State *L, lua_State *thread, int nargs) {
  if (!resumable(L, thread)) return -1;
  struct watchdog *watchdog = &host_of(L)->watchdog;
  lua_State *from = watchdog_switch(watchdog, thread);
  int count = call_resume(L, thread, nargs);
  watchdog_switch(watchdog, from);
  return count;
}

static int coroutine_resume(lua_State *L) {
  int count = resume_watched(L, check_thread(L), lua_gettop(L) - 1);
  lua_pushboolean(L, count >= 0);
  lua_insert(L, count >= 0 ? -count - 1 : -2);
  return count >= 0 ? count + 1 : 2;
}

static int close_watched(lua_State *L, lua_State *thread) {
  struct watchdog *watchdog = &host_of(L)->watchdog;
  lua_State *from = watchdog_switch(watchdog, thread);
  int status = lua_resetthread(thread);
  watchdog_switch(watchdog, from);
  return status;
}

static int wrapped(lua_State *L) { // upvalue: the coroutine
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  int count = resume_watched(L, thread, lua_gettop(L));
  if (count >= 0) return count;
  int status = lua_status(thread);
  if (status != LUA_OK && status != LUA_YIELD) { // an error inside: close what it left open
    if (close_watched(L, thread) != LUA_OK) {
      lua_pop(L, 1);
      lua_xmove(thread, L, 1);
    }
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int coroutine_close(lua_State *L) {
  lua_State *thread = check_thread(L);
  lua_Debug frame;
  int status = lua_status(thread);
  bool running = thread == L || (status == LUA_OK && lua_getstack(thread, 0, &frame));
  if (running) return luaL_error(L, "cannot close a running coroutine");
  if (close_watched(L, thread) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(thread, L, 1);
  return 2;
}

// Calls that a yield passes through.
static bool lets_yield(const char *name) {
  static const char *const names[] = {"pcall", "xpcall", "dofile", "try"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(name, names[i])) return true;
  return false;
}

static int cant_wait(lua_State *L) {
  lua_Debug frame;
  for (int depth = 1; lua_getstack(L, depth, &frame); depth++) {
    lua_getinfo(L, "nS", &frame);
    if (*frame.what != 'C' || (frame.name && lets_yield(frame.name))) continue;
    return luaL_error(L,
                      "can't wait here: called from inside '%s', which can't be left and come "
                      "back to; wait before or after it",
                      frame.name ? frame.name : "a C function");
  }
  return luaL_error(L, "can't wait here: not in a coroutine");
}

static int coroutine_yield(lua_State *L) {
  if (!lua_isyieldable(L)) return cant_wait(L);
  return lua_yield(L, lua_gettop(L));
}

void call_open_library(lua_State *L) {
  static const luaL_Reg functions[] = {{"resume", coroutine_resume},
                                       {"wrap", coroutine_wrap},
                                       {"close", coroutine_close},
                                       {"yield", coroutine_yield},
                                       {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  lua_register(L, "xpcall", call_xpcall);
}

void call_open(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "not enough memory");
  lua_setfield(L, -2, "message");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "traceback");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &no_memory_key);
}
