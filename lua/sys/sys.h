// The table `sys`: one file per noun, each giving one sub-table of thin functions. What each
// function takes and gives is written once, for readers and editors, in stdlib/meta/sys.lua.
#pragma once
#include <lauxlib.h>
#include <lua.h>

#include "engine.h"

// The engine this Lua state drives (kept in the state's extra space, so coroutines have it too).
struct engine *sys_engine(lua_State *L);

// What the world refused: pushes nil, "<what>: <strerror>", "ENOENT"; returns 3. `error` is a
// positive or negative errno (or libuv code).
int sys_fail(lua_State *L, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
// The same with a message of its own and a code that is no errno, such as "gone".
int sys_refuse(lua_State *L, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Each pushes its table; host.c has the list.
int sys_open_time(lua_State *L);
int sys_open_proc(lua_State *L);
int sys_open_log(lua_State *L);
int sys_open_tail(lua_State *L);
int sys_open_http(lua_State *L);
int sys_open_net(lua_State *L);
int sys_open_ctl(lua_State *L);
int sys_open_fs(lua_State *L);
int sys_open_os(lua_State *L);
int sys_open_text(lua_State *L);

// Each pushes the values of an event that follow `id, kind`, and returns their number;
// dispatch.c has the list.
int sys_push_timer(lua_State *L, const struct event *event);
int sys_push_signal(lua_State *L, const struct event *event);
int sys_push_exit(lua_State *L, const struct event *event);
int sys_push_jobstop(lua_State *L, const struct event *event);
int sys_push_swept(lua_State *L, const struct event *event);
int sys_push_line(lua_State *L, const struct event *event);
int sys_push_output(lua_State *L, const struct event *event);
int sys_push_logfault(lua_State *L, const struct event *event);
int sys_push_http(lua_State *L, const struct event *event);
int sys_push_connect(lua_State *L, const struct event *event);
int sys_push_request(lua_State *L, const struct event *event);
int sys_push_gone(lua_State *L, const struct event *event);
int sys_push_response(lua_State *L, const struct event *event);
int sys_push_drain(lua_State *L, const struct event *event);
