// Memory of the engine that must not leak when Lua raises: a userdata holds it and frees it when it
// is collected, or at once by box_free.
#pragma once
#include <lua.h>

// Pushes an empty box; put the pointer into *result afterwards. `destroy` takes what is in it.
void **box_push(lua_State *L, void (*destroy)(void *));
// Frees what is in the box at `index`, which stays on the stack, empty.
void box_free(lua_State *L, int index);
// Gives the userdata on top the metatable of its type, with `collected` for its end.
void box_set_type(lua_State *L, const char *type, lua_CFunction collected);
