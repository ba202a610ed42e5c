// The table `sys`: one file per noun, each giving one sub-table of thin functions. What each
// function takes and gives is written once, for readers and editors, in stdlib/meta/sys.lua.
#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "engine.h"

// The engine this Lua state drives (kept in the state's extra space, so coroutines have it too).
struct engine *sys_engine(lua_State *L);

// What the world refused: pushes nil, "<what>: <strerror>", "ENOENT"; returns 3. `error` is a
// positive or negative errno (or libuv code).
int sys_fail(lua_State *L, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The same with a message of its own and a code that is no errno, such as "gone".
int sys_refuse(lua_State *L, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// What most calls end with: true, or the refusal. `format` has one %s, for `what`.
int sys_done(lua_State *L, int result, const char *format, const char *what);
// The argument as a path; NUL bytes in it are misuse.
const char *sys_path(lua_State *L, int index);

// The whole table `sys`, pushed; and where it is kept while nothing else refers to it.
void sys_open(lua_State *L);
void sys_set_root(lua_State *L); // pops it
void sys_get_root(lua_State *L); // pushes it

// The functions set by sys.dispatch and sys.turn.
enum sys_hook { SYS_DISPATCH, SYS_TURN };
bool sys_get_hook(lua_State *L, enum sys_hook hook); // pushes a value; false: it is no function

// Each pushes its table; sys.c has the list.
int sys_open_time(lua_State *L);
int sys_open_proc(lua_State *L);
int sys_open_log(lua_State *L);
int sys_open_tail(lua_State *L);
int sys_open_feed(lua_State *L);
int sys_open_http(lua_State *L);
int sys_open_net(lua_State *L);
int sys_open_ctl(lua_State *L);
int sys_open_web(lua_State *L);
int sys_open_fs(lua_State *L);
int sys_open_os(lua_State *L);
int sys_open_text(lua_State *L);
int sys_open_watch(lua_State *L);
int sys_open_console(lua_State *L);
int sys_open_edit(lua_State *L);

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
int sys_push_piece(lua_State *L, const struct event *event);
int sys_push_connect(lua_State *L, const struct event *event);
int sys_push_request(lua_State *L, const struct event *event);
int sys_push_gone(lua_State *L, const struct event *event);
int sys_push_response(lua_State *L, const struct event *event);
int sys_push_frame(lua_State *L, const struct event *event);
int sys_push_input(lua_State *L, const struct event *event);
int sys_push_datagram(lua_State *L, const struct event *event);
int sys_push_change(lua_State *L, const struct event *event);
int sys_push_drain(lua_State *L, const struct event *event);
int sys_push_edit(lua_State *L, const struct event *event);
