// The table that sys.proc.spawn takes, as the engine wants it.
#pragma once
#include <lua.h>

#include "proc/procs.h"

// Reads the table that is the first argument; raises on misuse. What *spec points to lives as long
// as the table and the values that this leaves on the stack.
void proc_spec_read(lua_State *L, struct procs_spec *spec);
