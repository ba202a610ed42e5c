// The protected calls. Everything that runs Lua from C comes through here, and nothing else in the
// program calls lua_pcall or lua_resume.
#pragma once
#include <lua.h>
#include <stdbool.h>

// Calls the function below `nargs` arguments; true and `nresults` results in their place, or false
// and one value: a table { message = string, traceback = string }. Never raises.
bool call_protected(lua_State *L, int nargs, int nresults);

// Makes the value on top, an error of any type, such a table in its place; `thread` is where it was
// raised. Raises only when memory is exhausted.
void call_describe_error(lua_State *L, lua_State *thread);

// Prints such a table on stderr behind "pactlua: " and pops it.
void call_report(lua_State *L, const char *doing);

// Resumes `thread` with `nargs` values from the top of `L`. Gives the number of values now on top
// of `L`, or -1 and the error value there.
int call_resume(lua_State *L, lua_State *thread, int nargs);

// sys.try(fn, ...): yields pass through it.
int call_try(lua_State *L);
// sys.join(a, b): the text of both, for a metamethod __concat
int call_join(lua_State *L);
// In a C function that calls Lua and can't be left meanwhile: what is called there finds room, so
// that the stack stays where it is, which a __concat needs that can't leave its coroutine.
void call_make_room(lua_State *L);
// sys.resume(thread, budget_ms, ...)
int call_resume_budget(lua_State *L);
// Replaces those functions of the standard libraries that run or leave coroutines, so that the
// watchdog knows which one has the processor, and xpcall.
void call_open_library(lua_State *L);
// Makes the table for errors without memory; once, when the state is opened.
void call_open(lua_State *L);
