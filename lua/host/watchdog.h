// Interrupts Lua code that hogs the processor. A timer of the kernel is armed while a budget runs;
// only when it is overdrawn is a hook set, so code that keeps to its budget runs at full speed.
// The hook raises at every instruction and call until the code under the budget is left: no pcall,
// __close or coroutine of the culprit's own can hold it. Long work in C asks by watchdog_check.
#pragma once
#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

// One stretch of Lua under a budget; lives on the C stack of who runs it.
struct watchdog_level {
  struct watchdog_level *outer; // whose clock stands still meanwhile
  lua_State *before;            // what ran before it
  int64_t started_us;
  int64_t slice_us;
  int64_t limit_us;             // overdrawn for sure, though other processes had the processor
  volatile int64_t deadline_us; // when to look at it next; 0: no budget
  volatile int64_t cpu_us;      // processor time when it was first looked at, -1 before
  int64_t outer_cpu_us;         // when this one began, if the outer's is counted; else -1
  volatile sig_atomic_t tripped;
  int budget_ms;
  char where[128]; // which line was interrupted
};

struct watchdog {
  struct watchdog_level *volatile level; // the innermost, NULL outside of Lua
  lua_State *volatile running;           // the coroutine that has the processor
  volatile int64_t armed_us;             // when the timer will fire, 0: not set
  timer_t timer;
  bool ready;
};

// Budgets in milliseconds; 0 is none.
#define WATCHDOG_DISPATCH_MS  10000 // a dispatch runs the library's own code; its user's is resumed
#define WATCHDOG_FINALIZER_MS 250

void watchdog_init(struct watchdog *watchdog);
void watchdog_finish(struct watchdog *watchdog);

// Code on `L` runs under a budget from here to watchdog_leave. Levels nest.
void watchdog_enter(struct watchdog *watchdog, struct watchdog_level *level, lua_State *L,
                    int budget_ms);
void watchdog_leave(struct watchdog *watchdog, struct watchdog_level *level);

// Around every resume that starts no budget of its own; gives what ran before.
lua_State *watchdog_switch(struct watchdog *watchdog, lua_State *to);

// The code that runs now is being interrupted.
bool watchdog_tripped(const struct watchdog *watchdog);

// For long work in C that Lua code has called for: raises on `L` what the hook would, if tripped.
void watchdog_check(struct watchdog *watchdog, lua_State *L);

// Code under a budget of its own runs within a dispatch: a script's.
bool watchdog_nested(const struct watchdog *watchdog);

// Nothing of Lua will run for a while: disarms.
void watchdog_rest(struct watchdog *watchdog);
