#include "host/host.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "dispatch.h"
#include "host/call.h"
#include "host/modules.h"
#include "lib/lib.h"
#include "roles/front_link.h"
#include "sys/sys.h"

// What Lua may hold unless said: a script that runs away gets an error, the machine doesn't swap.
#define MEMORY_MAX_BYTES ((size_t)1 << 30)

// A collection begins when the heap has grown by a fifth: measured with 100 and 10,000 services,
// the memory saved is a third of all, and the time lost can't be told from none.
#define GC_PAUSE 120
#define GC_STEP  200
// But while a recipe is read and its services start hardly anything becomes garbage, and each
// collection would look at all of it in vain: a sixth of the time of 100 starts, half of a large
// plan's.
#define GC_PAUSE_START 300
#define GC_START_BYTES ((size_t)4 << 20) // above it what garbage lies between would cost too much
#define GC_PAUSE_END   1000              // nobody will need what an end of all leaves behind
#define GC_BURST_MS    500

struct host *host_of(lua_State *L) {
  return *(struct host **)lua_getextraspace(L);
}

struct engine *sys_engine(lua_State *L) {
  return &host_of(L)->engine;
}

// Scripts get less than there is: when they have had all of theirs, the library goes on.
static size_t limit_bytes(const struct host *host) {
  size_t max = host->options.memory_max_bytes;
  return watchdog_nested(&host->watchdog) ? max - max / 8 : max;
}

static void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
  struct host *host = data;
  if (!block) old_size = 0; // it then tells the type of the object
  if (!new_size) {
    free(block);
    host->memory_bytes -= old_size;
    return NULL;
  }
  size_t wanted = host->memory_bytes - old_size + new_size;
  if (new_size > old_size && wanted > limit_bytes(host)) return NULL;
  void *grown = realloc(block, new_size);
  if (grown) host->memory_bytes += new_size - old_size;
  return grown;
}

// Only an error outside of every protected call comes here: a defect of the host.
static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "pactlua: unprotected error: %s\n", message ? message : "no message");
  return 0;
}

static int open_state(lua_State *L) {
  struct host *host = host_of(L);
  lua_gc(L, LUA_GCINC, GC_PAUSE_START, GC_STEP, 0);
  call_open(L);
  modules_open(L, host->options.stdlib);
  call_open_library(L);
  lib_open_base(L);
  lib_open_string(L);
  lib_open_table(L);
  sys_open(L);
  sys_set_root(L);
  return 0;
}

// Runs a C function of Lua under the protected call; false: the error has been reported.
static bool run(struct host *host, lua_CFunction function, void *argument, int budget_ms,
                const char *doing) {
  struct watchdog_level level;
  lua_State *L = host->L;
  watchdog_enter(&host->watchdog, &level, L, budget_ms);
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  bool ok = call_protected(L, 1, 0);
  watchdog_leave(&host->watchdog, &level);
  if (!ok) call_report(L, doing);
  return ok;
}

static int dispatch_event(lua_State *L) {
  const struct event *event = lua_touserdata(L, 1);
  if (sys_get_hook(L, SYS_DISPATCH)) lua_call(L, dispatch_push(L, event), 0);
  return 0;
}

static int dispatch_turn(lua_State *L) {
  if (sys_get_hook(L, SYS_TURN)) lua_call(L, 0, 0);
  return 0;
}

static void on_event(struct event *event, void *context) {
  char doing[64];
  snprintf(doing, sizeof doing, "error while handling '%s'", dispatch_name(event->kind));
  run(context, dispatch_event, event, WATCHDOG_DISPATCH_MS, doing);
}

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCRESTART);
  struct host *host = host_of(L);
  lua_gc(L, LUA_GCINC, host->pause, GC_STEP, 0);
  if (host->pause == GC_PAUSE_END) return 0;
  lua_gc(L, LUA_GCCOLLECT);
  malloc_trim(0);
  return 0;
}

// A heap that has grown large while much is started: garbage between what stays would stay as
// holes. Who runs no network ends before that matters.
static void watch_growth(struct host *host) {
  if (host->grown || !host->options.link || host->memory_bytes < GC_START_BYTES) return;
  host->grown = true;
  run(host, collect, NULL, WATCHDOG_DISPATCH_MS, "error in a finalizer");
}

static void on_turn(void *context) {
  struct host *host = context;
  watch_growth(host);
  run(host, dispatch_turn, NULL, WATCHDOG_DISPATCH_MS, "error behind a turn");
  modules_drop_pages(host);
  watchdog_rest(&host->watchdog);
}

// No turn follows in which the alarm would be put off.
static void on_burst_over(uv_timer_t *timer) {
  struct host *host = timer->data;
  run(host, collect, NULL, WATCHDOG_DISPATCH_MS, "error in a finalizer");
  watchdog_rest(&host->watchdog);
}

static void await_burst(struct host *host) {
  uv_timer_start(&host->burst_timer, on_burst_over, GC_BURST_MS, 0);
  uv_unref((uv_handle_t *)&host->burst_timer); // alone it makes no event
}

void host_burst(struct host *host, bool last) {
  if (last) host->pause = GC_PAUSE_END;
  lua_gc(host->L, LUA_GCSTOP);
  await_burst(host);
}

int host_open(struct host *host, const struct host_options *options) {
  *host = (struct host){.options = *options, .pause = GC_PAUSE};
  if (!options->memory_max_bytes) host->options.memory_max_bytes = MEMORY_MAX_BYTES;
  watchdog_init(&host->watchdog);
  int error = engine_init(&host->engine, on_event, on_turn, host);
  if (error) return error;
  uv_timer_init(&host->engine.loop.uv, &host->burst_timer);
  host->burst_timer.data = host;
  await_burst(host);
  host->engine.front_link = options->link;
  if (options->link) error = front_link_attach(options->link, &host->engine.loop);
  if (error) return error;
  lua_Alloc alloc = options->alloc ? options->alloc : allocate;
  host->L = lua_newstate(alloc, options->alloc ? options->alloc_data : host);
  if (!host->L) return -ENOMEM;
  lua_atpanic(host->L, panic);
  *(struct host **)lua_getextraspace(host->L) = host;
  return run(host, open_state, NULL, 0, "can't start Lua") ? 0 : -ENOMEM;
}

static void forget_lua(struct host *host) {
#if defined(__SANITIZE_ADDRESS__) || !defined(NDEBUG)
  lua_close(host->L); // so that leaks can be told
#endif
  host->L = NULL;
}

void host_leave(struct host *host) {
  if (host->L) forget_lua(host);
  host_close(host);
}

void host_close(struct host *host) {
  if (host->L) lua_close(host->L);
  host->L = NULL;
  watchdog_finish(&host->watchdog);
  if (host->options.link) front_link_detach(host->options.link);
  if (host->burst_timer.data) uv_close((uv_handle_t *)&host->burst_timer, NULL);
  engine_finish(&host->engine);
}

static int call_main(lua_State *L) {
  int *status = lua_touserdata(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "pact.main");
  lua_call(L, 1, 1); // main
  luaL_checktype(L, -1, LUA_TFUNCTION);
  sys_get_root(L);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1)) *status = (int)luaL_checkinteger(L, -1);
  return 0;
}

int host_run(struct host *host) {
  int status = -1;
  if (!run(host, call_main, &status, 0, "")) return 1;
  if (status >= 0) return status;
  watchdog_rest(&host->watchdog);
  modules_drop_pages(host);
  loop_run(&host->engine.loop);
  if (host->engine.loop.stopping) return host->status;
  fputs("pactlua: nothing is left that could happen, and nothing has said how to end\n", stderr);
  return 1;
}
