// Values of Lua as JSON, as pact.base.json writes them.
#pragma once
#include <lua.h>

// Function of Lua: (value, null) → text. Gives nil for what has something in it that needs more
// than a look: numbers with a fraction, text that isn't UTF-8, tables with metatables (but those of
// arrays) or with keys that are no text, what JSON has no word for, tables deep in each other.
int json_write(lua_State *L);
