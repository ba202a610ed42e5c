// Headers and queries: tables of strings in Lua, arrays of pairs in the engine.
#pragma once
#include <lua.h>

#include "net/http_message.h"

// The table of strings at `index` (nil or none: empty) as an array, which a userdata pushed onto
// the stack holds; its strings are the table's. Raises for other types, and for what no header can
// hold.
const struct http_pair *pairs_check(lua_State *L, int index, size_t *count);
// Pushes a table; the values of a repeated name are joined by `joint`, NULL: the last one stays.
void pairs_push(lua_State *L, const struct http_pair *pairs, size_t count, const char *joint);
