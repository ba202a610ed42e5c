#include "sys/sys.h"

#include <string.h>

#include "host/call.h"
#include "host/host.h"

static char root_key; // in the registry: the table `sys`
static char hook_keys[2];

static int keep_hook(lua_State *L, enum sys_hook hook) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hook_keys[hook]);
  return 0;
}

bool sys_get_hook(lua_State *L, enum sys_hook hook) {
  return lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_keys[hook]) == LUA_TFUNCTION;
}

void sys_set_root(lua_State *L) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, &root_key);
}

void sys_get_root(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &root_key);
}

static int set_dispatch(lua_State *L) {
  return keep_hook(L, SYS_DISPATCH);
}

static int set_turn(lua_State *L) {
  return keep_hook(L, SYS_TURN);
}

static int burst(lua_State *L) {
  host_burst(host_of(L), lua_toboolean(L, 1));
  return 0;
}

static int cancel(lua_State *L) {
  lua_Integer id = luaL_checkinteger(L, 1);
  if (id > 0) engine_cancel(sys_engine(L), (uint64_t)id);
  return 0;
}

static int stop(lua_State *L) {
  lua_Integer status = luaL_checkinteger(L, 1);
  luaL_argcheck(L, status >= 0 && status <= 256 + 64, 1, "0-255, or 256 + a signal, expected");
  struct host *host = host_of(L);
  if (!host->engine.loop.stopping) host->status = (int)status;
  loop_stop(&host->engine.loop);
  return 0;
}

static const luaL_Reg functions[] = {
    {"dispatch", set_dispatch},
    {"turn", set_turn},
    {"burst", burst},
    {"cancel", cancel},
    {"stop", stop},
    {"try", call_try},
    {"join", call_join},
    {"resume", call_resume_budget},
    {NULL, NULL},
};

static const luaL_Reg nouns[] = {
    {"time", sys_open_time},   {"fs", sys_open_fs},
    {"os", sys_open_os},       {"text", sys_open_text},
    {"ctl", sys_open_ctl},     {"web", sys_open_web},
    {"log", sys_open_log},     {"tail", sys_open_tail},
    {"feed", sys_open_feed},   {"proc", sys_open_proc},
    {"http", sys_open_http},   {"net", sys_open_net},
    {"watch", sys_open_watch}, {"console", sys_open_console},
    {"edit", sys_open_edit},   {NULL, NULL},
};

static void push_args(lua_State *L, const struct host_options *options) {
  lua_createtable(L, options->count, 0);
  for (int i = 0; i < options->count; i++) {
    lua_pushstring(L, options->args[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

void sys_open(lua_State *L) {
  const struct host_options *options = &host_of(L)->options;
  luaL_newlib(L, functions); // sys
  push_args(L, options);
  lua_setfield(L, -2, "args");
  lua_pushstring(L, options->role);
  lua_setfield(L, -2, "role");
  lua_pushboolean(L, options->terminal);
  lua_setfield(L, -2, "terminal");
  lua_pushstring(L, options->program);
  lua_setfield(L, -2, "program");
  lua_pushliteral(L, PACTLUA_VERSION);
  lua_setfield(L, -2, "version");
  for (const luaL_Reg *noun = nouns; noun->name; noun++) {
    lua_pushcfunction(L, noun->func);
    lua_call(L, 0, 1);
    lua_setfield(L, -2, noun->name);
  }
}
