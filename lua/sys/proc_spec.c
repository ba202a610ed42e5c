#include "sys/proc_spec.h"

#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "net/listeners.h"
#include "proc/limits.h"
#include "sys/sys.h"

// Every reader gets its field on top of the stack, under the name it has there, and leaves it.
struct reader {
  const char *name;
  void (*read)(lua_State *L, const char *name, struct procs_spec *spec);
};

static int wrong(lua_State *L, const char *name, const char *expected) {
  return luaL_error(L, "spawn: %s: %s expected, got %s", name, expected, luaL_typename(L, -1));
}

static lua_Integer integer(lua_State *L, const char *name, lua_Integer low, lua_Integer high) {
  int whole;
  lua_Integer value = lua_tointegerx(L, -1, &whole);
  if (!whole) wrong(L, name, "an integer");
  if (value < low || value > high) luaL_error(L, "spawn: %s: %I is out of range", name, value);
  return value;
}

static const char *text(lua_State *L, const char *name) {
  size_t size;
  if (lua_type(L, -1) != LUA_TSTRING) wrong(L, name, "a string");
  const char *value = lua_tolstring(L, -1, &size);
  if (strlen(value) != size) luaL_error(L, "spawn: %s: has a NUL byte", name);
  return value;
}

static size_t list_length(lua_State *L, const char *name) {
  if (!lua_istable(L, -1)) wrong(L, name, "a list of strings");
  return (size_t)luaL_len(L, -1);
}

static void copy_strings(lua_State *L, int list, const char *name, const char **to, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    to[i] = text(L, name);
    lua_pop(L, 1);
  }
}

// The strings stay alive in the list, the array on the stack.
static void read_argv(lua_State *L, const char *name, struct procs_spec *spec) {
  size_t count = list_length(L, name);
  const char **list = lua_newuserdatauv(L, (count + 1) * sizeof *list, 0);
  copy_strings(L, lua_gettop(L) - 1, name, list, count);
  list[count] = NULL;
  spec->spawn.argv = list;
  if (!spec->spawn.argv[0]) luaL_error(L, "spawn: argv is empty");
}

static void read_env(lua_State *L, const char *name, struct procs_spec *spec) {
  size_t own = list_length(L, name), base = 0;
  if (lua_getfield(L, 1, "env_base") != LUA_TNIL) base = list_length(L, "env_base");
  const char **list = lua_newuserdatauv(L, (base + own + 1) * sizeof *list, 0); // env base list
  copy_strings(L, lua_gettop(L) - 1, "env_base", list, base);
  copy_strings(L, lua_gettop(L) - 2, name, list + base, own);
  list[base + own] = NULL;
  spec->spawn.env = list;
}

static void read_path(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.path = text(L, name);
}

static void read_cwd(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.cwd = text(L, name);
}

static void read_stdio(lua_State *L, const char *name, struct procs_spec *spec) {
  static const struct {
    const char *name;
    enum spawn_stdio mode;
    bool input, output;
  } modes[] = {
      {"pipe", SPAWN_PIPE, true, false},       {"null", SPAWN_NULL, true, true},
      {"inherit", SPAWN_INHERIT, true, true},  {"log", SPAWN_LOG, false, true},
      {"capture", SPAWN_CAPTURE, false, true},
  };
  int stream = !strcmp(name, "stdin") ? 0 : !strcmp(name, "stdout") ? 1 : 2;
  const char *value = text(L, name);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (strcmp(value, modes[i].name) != 0) continue;
    if (stream ? !modes[i].output : !modes[i].input) break;
    spec->spawn.stdio[stream] = modes[i].mode;
    return;
  }
  luaL_error(L, "spawn: %s: '%s' is not possible", name, value);
}

static unsigned short dimension(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  lua_Integer value = integer(L, name, 1, USHRT_MAX);
  lua_pop(L, 1);
  return (unsigned short)value;
}

static void read_terminal(lua_State *L, const char *name, struct procs_spec *spec) {
  if (!lua_istable(L, -1)) wrong(L, name, "a table with columns and rows");
  struct pty_size *size = lua_newuserdatauv(L, sizeof *size, 0);
  lua_insert(L, -2); // size, table
  *size = (struct pty_size){dimension(L, "columns"), dimension(L, "rows")};
  spec->spawn.terminal = size;
}

static void read_log(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->log = (uint64_t)integer(L, name, 1, LUA_MAXINTEGER);
}

static void read_capture_max(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->capture_max = (size_t)integer(L, name, 1, LUA_MAXINTEGER);
}

static void read_input(lua_State *L, const char *name, struct procs_spec *spec) {
  if (lua_type(L, -1) != LUA_TSTRING) wrong(L, name, "a string");
  spec->input = lua_tolstring(L, -1, &spec->input_size);
}

static void read_session(lua_State *L, const char *name, struct procs_spec *spec) {
  (void)name;
  spec->spawn.session = lua_toboolean(L, -1);
}

static void read_uid(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.uid = (uid_t)integer(L, name, 0, UINT32_MAX - 1);
  spec->spawn.set_user = true;
}

static void read_gid(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.gid = (gid_t)integer(L, name, 0, UINT32_MAX - 1);
  spec->spawn.set_group = true;
}

static void read_groups(lua_State *L, const char *name, struct procs_spec *spec) {
  if (!lua_istable(L, -1)) wrong(L, name, "a list of integers");
  size_t count = (size_t)luaL_len(L, -1);
  gid_t *groups = lua_newuserdatauv(L, (count + 1) * sizeof *groups, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    groups[i] = (gid_t)integer(L, name, 0, UINT32_MAX - 1);
    lua_pop(L, 1);
  }
  spec->spawn.groups = groups;
  spec->spawn.group_count = count;
  spec->spawn.set_groups = true;
}

// Ids of sys.net.listen; their descriptors stay ours.
static void read_listen(lua_State *L, const char *name, struct procs_spec *spec) {
  size_t count = list_length(L, name);
  if (count > STAGE_LISTEN_MAX)
    luaL_error(L, "spawn: %s: has more than %d", name, STAGE_LISTEN_MAX);
  int *fds = lua_newuserdatauv(L, (count + 1) * sizeof *fds, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    uint64_t id = (uint64_t)integer(L, name, 1, LUA_MAXINTEGER);
    lua_pop(L, 1);
    fds[i] = listeners_fd(engine_listeners(sys_engine(L)), id);
    if (fds[i] < 0) luaL_error(L, "spawn: %s: there is no socket of that id", name);
  }
  spec->spawn.listen_fds = fds;
  spec->spawn.listen_count = count;
}

static void read_umask(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.umask = (int)integer(L, name, 0, 0777);
}

static void read_nice(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.nice = (int)integer(L, name, -20, 19);
  spec->spawn.set_nice = true;
}

static void read_oom(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.oom_score_adj = (int)integer(L, name, -1000, 1000);
  spec->spawn.set_oom_score_adj = true;
}

static rlim_t limit_value(lua_State *L, const char *name, int index) {
  if (lua_rawgeti(L, -1, index) == LUA_TNIL) wrong(L, name, "a pair { soft, hard }");
  lua_Integer value = integer(L, name, -1, LUA_MAXINTEGER);
  lua_pop(L, 1);
  return value < 0 ? RLIM_INFINITY : (rlim_t)value;
}

static void read_limits(lua_State *L, const char *name, struct procs_spec *spec) {
  if (!lua_istable(L, -1)) wrong(L, name, "a table of limits");
  struct stage_limit *limits = lua_newuserdatauv(L, RLIM_NLIMITS * sizeof *limits, 0);
  lua_insert(L, -2); // array, table
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    int resource = limits_find(key);
    if (resource < 0) luaL_error(L, "spawn: limits: there is no '%s'", key);
    if (!lua_istable(L, -1)) wrong(L, key, "a pair { soft, hard }");
    struct rlimit value = {limit_value(L, key, 1), limit_value(L, key, 2)};
    limits[spec->spawn.limit_count++] = (struct stage_limit){resource, value};
  }
  spec->spawn.limits = limits;
}

static void read_pdeathsig(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->spawn.pdeathsig = (int)integer(L, name, 0, NSIG - 1);
}

static void read_tag(lua_State *L, const char *name, struct procs_spec *spec) {
  spec->tag = text(L, name);
  if (!strchr(spec->tag, '=')) luaL_error(L, "spawn: tag: NAME=value expected");
}

static const struct reader readers[] = {
    {"argv", read_argv},
    {"env", read_env},
    {"env_base", NULL}, // with env
    {"path", read_path},
    {"cwd", read_cwd},
    {"stdin", read_stdio},
    {"stdout", read_stdio},
    {"stderr", read_stdio},
    {"log", read_log},
    {"terminal", read_terminal},
    {"capture_max", read_capture_max},
    {"input", read_input},
    {"session", read_session},
    {"uid", read_uid},
    {"gid", read_gid},
    {"groups", read_groups},
    {"listen", read_listen},
    {"umask", read_umask},
    {"nice", read_nice},
    {"oom_score_adj", read_oom},
    {"limits", read_limits},
    {"pdeathsig", read_pdeathsig},
    {"tag", read_tag},
};

static const struct reader *find_reader(const char *name) {
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (strcmp(readers[i].name, name) == 0) return &readers[i];
  return NULL;
}

static void check_names(lua_State *L, int index) {
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (!find_reader(name)) luaL_error(L, "spawn: there is no field '%s'", name);
  }
}

static void check_terminal(lua_State *L, const struct spawn_spec *spawn, bool input) {
  if (input) luaL_error(L, "spawn: input: a terminal's has no end");
  if (spawn->stdio[1] != SPAWN_LOG && spawn->stdio[1] != SPAWN_CAPTURE)
    luaL_error(L, "spawn: stdout: 'log' or 'capture' expected, for a terminal");
}

void proc_spec_read(lua_State *L, struct procs_spec *spec) {
  luaL_checktype(L, 1, LUA_TTABLE);
  check_names(L, 1);
  *spec = (struct procs_spec){
      .spawn = {.stdio = {SPAWN_PIPE, SPAWN_NULL, SPAWN_NULL},
                .session = true,
                .umask = -1,
                .pdeathsig = SIGTERM},
  };
  luaL_checkstack(L, 3 * (int)(sizeof readers / sizeof *readers), "spawn");
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (readers[i].read && lua_getfield(L, 1, readers[i].name) != LUA_TNIL)
      readers[i].read(L, readers[i].name, spec);
  if (!spec->spawn.argv) luaL_error(L, "spawn: argv is missing");
  if (spec->spawn.terminal) check_terminal(L, &spec->spawn, spec->input != NULL);
  if (!spec->spawn.env) luaL_error(L, "spawn: env is missing");
  bool logs = spec->spawn.stdio[1] == SPAWN_LOG || spec->spawn.stdio[2] == SPAWN_LOG;
  if (logs && !spec->log) luaL_error(L, "spawn: log is missing");
  if (logs) spec->logs = engine_logs(sys_engine(L));
}
