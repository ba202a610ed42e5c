// Where Lua code may come from: the standard library inside the binary (or a checkout's), modules
// of C from the system's Lua directories, and what the recipe's own directory gives once the
// library has added it to package.path. Text only: precompiled chunks are refused everywhere.
#pragma once
#include <lua.h>

// Opens Lua's standard libraries that way. `stdlib`: a directory to run instead of what is
// embedded, or NULL. Raises.
void modules_open(lua_State *L, const char *stdlib);

struct host;

// Gives back the memory that reading embedded modules has taken; it comes again when needed.
void modules_drop_pages(struct host *host);
