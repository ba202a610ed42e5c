// One Lua state over one engine: the whole of a pactlua process behind main().
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "host/watchdog.h"

struct front_link;

struct host_options {
  const char *role;    // "front", "engine" or "solo"
  bool terminal;       // standard output was one when the program began
  const char *program; // absolute path of this binary
  int count;           // of args
  char **args;         // the command line behind the program's name
  const char *stdlib;  // a directory with pact/*.lua to run instead of what is embedded, or NULL
  struct front_link *link; // NULL for "solo"; stays the caller's
  size_t memory_max_bytes; // that Lua may hold; 0: 1 GiB
  lua_Alloc alloc;         // NULL: the host's own; tests give one that fails
  void *alloc_data;
};

struct host {
  struct engine engine;
  lua_State *L;
  struct host_options options;
  struct watchdog watchdog;
  size_t memory_bytes;    // that Lua holds, when the host's own allocator is used
  uv_timer_t burst_timer; // when it fires, a start or an end is over as far as memory is concerned
  int pause;              // of the collector, when no burst is on
  bool grown;             // the heap, beyond what a start may leave uncollected
  bool loaded_modules;    // since their pages were last given back
  int status;             // of sys.stop: 0–255, 256 + n for a death by signal n
};

// Opens the engine and a Lua state with the table `sys`. -ENOMEM, or what the loop refused.
int host_open(struct host *host, const struct host_options *options);
void host_close(struct host *host); // also after a failed host_open
// Closes for a process that ends right behind it: Lua's memory is left to the kernel.
void host_leave(struct host *host);

// Requires pact.main and calls it with `sys`, then runs the loop until sys.stop. Gives the status
// that the process should end with: 0–255, or 256 + n to end by signal n.
int host_run(struct host *host);

// Much is about to be done at once: for half a second nothing is collected; if it is the last thing
// to be done, hardly anything from then on.
void host_burst(struct host *host, bool last);

// The host of a state or of one of its coroutines.
struct host *host_of(lua_State *L);
