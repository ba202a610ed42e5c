// Fields of a table of options. What is wrong with one is raised by its name.
#pragma once
#include <lua.h>

// The text stays valid while it is in the table. NULL: absent, where `optional`.
const char *options_text(lua_State *L, int table, const char *name, int optional);
// 0 or more.
lua_Integer options_size(lua_State *L, int table, const char *name, lua_Integer fallback);
// The place of the word among `choices`, which end with NULL; absent: 0.
int options_choice(lua_State *L, int table, const char *name, const char *const *choices);
