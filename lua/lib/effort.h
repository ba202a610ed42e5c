// For loops of ours that a script makes long: every few thousand steps they ask the watchdog
// whether it is time to leave, which a hook of Lua's can't while C has the processor.
#pragma once
#include <lua.h>
#include <stddef.h>

struct effort {
  lua_State *L;
  ptrdiff_t left; // steps until the watchdog is asked
};

#define EFFORT_STEPS 4096 // some ten microseconds

static inline struct effort effort_begin(lua_State *L) {
  return (struct effort){.L = L, .left = EFFORT_STEPS};
}

// Raises when what runs now is being interrupted.
void effort_ask(struct effort *effort);

static inline void effort_spend(struct effort *effort, ptrdiff_t steps) {
  effort->left -= steps;
  if (effort->left < 0) effort_ask(effort);
}

// For step `i` of a loop that counts by one.
static inline void effort_step(lua_State *L, lua_Integer i) {
  struct effort effort = {.L = L};
  if (i % EFFORT_STEPS == 0) effort_ask(&effort);
}
