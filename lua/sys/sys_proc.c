#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "host/box.h"
#include "proc/sample.h"
#include "proc/strays.h"
#include "sys/proc_spec.h"

static struct procs *procs_of(lua_State *L) {
  return engine_procs(sys_engine(L));
}

static uint64_t check_id(lua_State *L) {
  return (uint64_t)luaL_checkinteger(L, 1);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void set_state(lua_State *L, char state) {
  lua_pushlstring(L, &state, 1);
  lua_setfield(L, -2, "state");
}

// What a call about an id ends with: true, or why not.
static int done(lua_State *L, int result, const char *what) {
  if (result == -ENOENT) return sys_refuse(L, "gone", "%s: that process is gone", what);
  return sys_done(L, result, "%s", what);
}

static int spawn(lua_State *L) {
  struct procs_spec spec;
  struct spawn_failure failure;
  uint64_t id;
  pid_t pid;
  proc_spec_read(L, &spec);
  if (procs_spawn(procs_of(L), &spec, &id, &pid, &failure) == 0) {
    lua_pushinteger(L, (lua_Integer)id);
    lua_pushinteger(L, pid);
    return 2;
  }
  lua_pushnil(L);
  lua_pushstring(L, failure.message);
  lua_pushstring(L, strerrorname_np(failure.error));
  lua_pushstring(L, spawn_step_name(failure.step));
  return 4;
}

static int check_signal(lua_State *L, int index) {
  lua_Integer signo = luaL_checkinteger(L, index);
  luaL_argcheck(L, signo >= 0 && signo < NSIG, index, "a signal's number expected");
  return (int)signo;
}

static int signal_to(lua_State *L) {
  static const char *const scopes[] = {
      [PROCS_LEADER] = "leader", [PROCS_GROUP] = "group", [PROCS_TREE] = "tree", NULL};
  uint64_t id = check_id(L);
  int signo = check_signal(L, 2);
  enum procs_scope scope = (enum procs_scope)luaL_checkoption(L, 3, "group", scopes);
  int result = procs_signal(procs_of(L), id, signo, scope);
  if (result == -ESRCH) return sys_refuse(L, "gone", "signal: nobody is left to take it");
  return done(L, result, "signal");
}

// Leaves the array of names on the stack; the strings live in the table of options.
static void read_keep(lua_State *L, struct sweep_options *options) {
  if (lua_getfield(L, 2, "keep") == LUA_TNIL) return;
  luaL_argcheck(L, lua_istable(L, -1), 2, "keep: a list of names expected");
  options->keep_count = (size_t)luaL_len(L, -1);
  const char **keep = lua_newuserdatauv(L, (options->keep_count + 1) * sizeof *keep, 0);
  for (size_t i = 0; i < options->keep_count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "keep: a list of names expected");
    keep[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  options->keep = keep;
}

static struct sweep_options read_options(lua_State *L) {
  static const char *const scopes[] = {"tree", "group", NULL};
  struct sweep_options options = {.grace_ms = 500};
  if (lua_isnoneornil(L, 2)) return options;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_getfield(L, 2, "grace") != LUA_TNIL) {
    lua_Integer grace_ms = luaL_checkinteger(L, -1);
    luaL_argcheck(L, grace_ms >= 0, 2, "grace: milliseconds, 0 or more, expected");
    options.grace_ms = (uint64_t)grace_ms;
  }
  lua_getfield(L, 2, "scope");
  options.group_only = luaL_checkoption(L, -1, "tree", scopes) == 1;
  read_keep(L, &options);
  return options;
}

static int sweep(lua_State *L) {
  uint64_t id = check_id(L);
  struct sweep_options options = read_options(L);
  return done(L, procs_sweep(procs_of(L), id, &options), "sweep");
}

static int sweep_all(lua_State *L) {
  lua_settop(L, 1);
  lua_pushnil(L);
  lua_insert(L, 1); // the options stand second, as in sweep
  struct sweep_options options = read_options(L);
  lua_pushinteger(L, (lua_Integer)procs_sweep_all(procs_of(L), &options));
  return 1;
}

static int sample(lua_State *L) {
  struct sample sample;
  bool detail = lua_toboolean(L, 2);
  int result = procs_sample(procs_of(L), check_id(L), detail, &sample);
  if (result) return done(L, result, "sample");
  lua_createtable(L, 0, 7);
  set_integer(L, "cpu", (lua_Integer)sample.cpu_ms);
  set_integer(L, "rss", (lua_Integer)sample.rss_bytes);
  set_integer(L, "threads", sample.threads);
  set_integer(L, "procs", sample.procs);
  if (!detail) return 1;
  set_integer(L, "fds", sample.fds);
  set_integer(L, "read", (lua_Integer)sample.read_bytes);
  set_integer(L, "write", (lua_Integer)sample.write_bytes);
  return 1;
}

static void destroy_tree(void *tree) {
  tree_free(tree);
}

static int tree(lua_State *L) {
  void **box = box_push(L, destroy_tree);
  int result = procs_tree(procs_of(L), check_id(L), (struct tree **)box);
  if (result) return done(L, result, "tree");
  const struct tree *tree = *box;
  lua_createtable(L, (int)tree->count, 0);
  for (size_t i = 0; i < tree->count; i++) {
    const struct tree_process *process = &tree->processes[i];
    lua_createtable(L, 0, 6);
    set_integer(L, "pid", process->stat.pid);
    set_integer(L, "ppid", process->stat.ppid);
    set_integer(L, "rss", (lua_Integer)process->stat.rss_bytes);
    set_string(L, "name", process->stat.name);
    set_string(L, "command", process->command);
    set_state(L, process->stat.state);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int ports(lua_State *L) {
  void **box = box_push(L, free);
  size_t count;
  int result = procs_ports(procs_of(L), check_id(L), (uint16_t **)box, &count);
  if (result) return done(L, result, "ports");
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, ((const uint16_t *)*box)[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int write_to(lua_State *L) {
  size_t size;
  uint64_t id = check_id(L);
  const char *bytes = luaL_checklstring(L, 2, &size);
  return done(L, procs_write(procs_of(L), id, bytes, size), "write to stdin");
}

static int resize(lua_State *L) {
  lua_Integer columns = luaL_checkinteger(L, 2), rows = luaL_checkinteger(L, 3);
  luaL_argcheck(L, columns >= 1 && columns <= USHRT_MAX, 2, "1 or more columns expected");
  luaL_argcheck(L, rows >= 1 && rows <= USHRT_MAX, 3, "1 or more rows expected");
  struct pty_size size = {(unsigned short)columns, (unsigned short)rows};
  return done(L, procs_resize(procs_of(L), check_id(L), &size), "resize");
}

static int close_stdin(lua_State *L) {
  return done(L, procs_close_stdin(procs_of(L), check_id(L)), "close stdin");
}

// Our own variables only: the rest of a foreign environment is nobody's business.
static void push_env(lua_State *L, const struct stray *stray) {
  const char *entry = stray->environ, *end = entry + stray->environ_size;
  lua_newtable(L);
  for (; entry < end; entry += strlen(entry) + 1) {
    const char *equals = strchr(entry, '=');
    if (strncmp(entry, "PACTLUA_", 8) != 0 || !equals) continue;
    lua_pushlstring(L, entry, (size_t)(equals - entry));
    lua_pushstring(L, equals + 1);
    lua_rawset(L, -3);
  }
}

static void destroy_strays(void *strays) {
  strays_free(strays);
}

static int tagged(lua_State *L) {
  const char *tag = luaL_checkstring(L, 1);
  void **box = box_push(L, destroy_strays);
  int result = strays_find(&kernel_linux, tag, (struct strays **)box);
  if (result) return sys_fail(L, result, "/proc");
  const struct strays *strays = *box;
  lua_createtable(L, (int)strays->count, 0);
  for (size_t i = 0; i < strays->count; i++) {
    const struct stray *stray = &strays->list[i];
    lua_createtable(L, 0, 5);
    set_integer(L, "pid", stray->stat.pid);
    set_integer(L, "start", (lua_Integer)stray->stat.start);
    set_string(L, "name", stray->stat.name);
    set_string(L, "command", stray->command);
    push_env(L, stray);
    lua_setfield(L, -2, "env");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int kill_stray(lua_State *L) {
  lua_Integer pid = luaL_checkinteger(L, 1), start = luaL_checkinteger(L, 2);
  luaL_argcheck(L, pid > 0 && pid <= INT32_MAX, 1, "a pid expected");
  int result = procfs_signal(&kernel_linux, (pid_t)pid, (uint64_t)start, check_signal(L, 3));
  if (result == -ESRCH) return sys_refuse(L, "gone", "process %d is gone", (int)pid);
  return sys_done(L, result, "signal to process %s", lua_tostring(L, 1));
}

int sys_open_proc(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"spawn", spawn},
      {"signal", signal_to},
      {"sweep", sweep},
      {"sweep_all", sweep_all},
      {"sample", sample},
      {"tree", tree},
      {"ports", ports},
      {"write", write_to},
      {"close_stdin", close_stdin},
      {"resize", resize},
      {"tagged", tagged},
      {"kill_stray", kill_stray},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}

static void set_captured(lua_State *L, const char *name, const struct captured *captured) {
  if (!captured->bytes) return;
  lua_pushlstring(L, captured->bytes, captured->size);
  lua_setfield(L, -2, name);
}

int sys_push_exit(lua_State *L, const struct event *event) {
  const struct exit_event *exit = (const struct exit_event *)event;
  lua_createtable(L, 0, 9);
  set_integer(L, exit->signalled ? "signal" : "code", exit->code);
  if (exit->signalled) {
    lua_pushboolean(L, exit->core);
    lua_setfield(L, -2, "core");
  }
  set_integer(L, "at", (lua_Integer)exit->at_ms);
  set_integer(L, "utime", (lua_Integer)exit->utime_ms);
  set_integer(L, "stime", (lua_Integer)exit->stime_ms);
  set_integer(L, "maxrss", (lua_Integer)exit->maxrss_bytes);
  set_captured(L, "stdout", &exit->captured[0]);
  set_captured(L, "stderr", &exit->captured[1]);
  if (exit->captured[0].bytes || exit->captured[1].bytes) {
    lua_pushboolean(L, exit->truncated);
    lua_setfield(L, -2, "truncated");
  }
  return 1;
}

int sys_push_jobstop(lua_State *L, const struct event *event) {
  const struct jobstop_event *jobstop = (const struct jobstop_event *)event;
  lua_pushinteger(L, jobstop->signo);
  lua_pushboolean(L, jobstop->stopped);
  return 2;
}

int sys_push_swept(lua_State *L, const struct event *event) {
  const struct swept_event *swept = (const struct swept_event *)event;
  lua_createtable(L, (int)swept->count, 0);
  for (size_t i = 0; i < swept->count; i++) {
    const struct survivor *survivor = &swept->survivors[i];
    lua_createtable(L, 0, 4);
    if (survivor->spared) {
      lua_pushboolean(L, 1);
      lua_setfield(L, -2, "spared");
    }
    set_integer(L, "pid", survivor->pid);
    set_string(L, "name", survivor->name);
    set_state(L, survivor->state);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_pushinteger(L, swept->killed);
  return 2;
}
