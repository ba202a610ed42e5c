// Functions of Lua's libraries in C that can run without end on small arguments, anew: the same
// results and the same errors, but the watchdog reaches them.
#pragma once
#include <lua.h>

// Put their functions into the tables `string` and `table`, which are open.
void lib_open_string(lua_State *L);
void lib_open_table(lua_State *L);
// The global setmetatable: finalizers can be interrupted, and what they raise is told.
void lib_open_base(lua_State *L);
