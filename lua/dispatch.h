// Events on their way into Lua.
#pragma once
#include <lua.h>

#include "loop/event.h"

// The name by which Lua knows a kind.
const char *dispatch_name(enum event_kind kind);

// Pushes `id, kind, …`: what the dispatch function is called with. Gives the number of values;
// raises when memory is exhausted.
int dispatch_push(lua_State *L, const struct event *event);
