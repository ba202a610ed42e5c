// The table that sys.proc.spawn takes, as the engine wants it.
#pragma once
#include <lua.h>

#include "proc/procs.h"

// Reads the table at `index`; raises on misuse. What *spec points to lives as long as the table and
// the values that this leaves on the stack.
void proc_spec_read(lua_State *L, int index, struct procs_spec *spec);
