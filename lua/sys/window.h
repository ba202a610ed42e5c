// Windows into logs, for sys.log and sys.tail: the filter's table, and the list of lines.
#pragma once
#include <lua.h>

#include "log/lines.h"

// A pattern, plain text or { regex = … }, at `index`. Other types raise.
struct needle_spec window_check_pattern(lua_State *L, int index, int argument);
// The filter's table at `index` (nil: all defaults). Pushes one value that keeps what is in it.
// False: the pattern is no regular expression, `nil, message, code` are pushed.
bool window_check_filter(lua_State *L, int index, struct line_filter *filter);
// Pushes a box for lines to be read into.
struct lines *window_push_box(lua_State *L);
// Pushes the list, and empties the box at `index`.
void window_push_lines(lua_State *L, int index);
