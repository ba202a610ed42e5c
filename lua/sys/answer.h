// Answers to requests, by their ids: the functions respond, stream, write, await and finish that
// sys.ctl and sys.web have in common.
#pragma once
#include <lauxlib.h>

extern const luaL_Reg answer_functions[];
