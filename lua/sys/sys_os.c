#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/box.h"
#include "os/machine.h"
#include "os/program.h"
#include "os/signame.h"
#include "os/terminal.h"
#include "os/users.h"
#include "proc/limits.h"

extern char **environ;

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static int environment(lua_State *L) {
  lua_newtable(L);
  for (char **entry = environ; *entry; entry++) {
    const char *equals = strchr(*entry, '=');
    if (!equals || equals == *entry) continue;
    lua_pushlstring(L, *entry, (size_t)(equals - *entry));
    bool known = lua_rawget(L, -2) != LUA_TNIL; // as getenv: the first one counts
    lua_pop(L, 1);
    if (known) continue;
    lua_pushlstring(L, *entry, (size_t)(equals - *entry));
    lua_pushstring(L, equals + 1);
    lua_rawset(L, -3);
  }
  return 1;
}

static int process_id(lua_State *L) {
  lua_pushinteger(L, getpid());
  return 1;
}

static int ids(lua_State *L) {
  lua_pushinteger(L, geteuid());
  lua_pushinteger(L, getegid());
  return 2;
}

static void destroy_user(void *user) {
  user_destroy(user);
}

static void push_user(lua_State *L, const struct user *user) {
  lua_createtable(L, 0, 6);
  set_string(L, "name", user->name);
  set_string(L, "home", user->home);
  set_string(L, "shell", user->shell);
  set_integer(L, "uid", user->uid);
  set_integer(L, "gid", user->gid);
  lua_createtable(L, (int)user->group_count, 0);
  for (size_t i = 0; i < user->group_count; i++) {
    lua_pushinteger(L, user->groups[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "groups");
}

static int find_user(lua_State *L) {
  void **box = box_push(L, destroy_user);
  int result;
  if (lua_isinteger(L, 1)) {
    lua_Integer uid = lua_tointeger(L, 1);
    result = uid < 0 || uid >= UINT32_MAX ? -ENOENT : user_by_id((uid_t)uid, (struct user **)box);
  } else {
    result = user_by_name(luaL_checkstring(L, 1), (struct user **)box);
  }
  const char *name = luaL_tolstring(L, 1, NULL);
  if (result == -ENOENT) return sys_refuse(L, "ENOENT", "user '%s': no such user", name);
  if (result) return sys_fail(L, result, "user '%s'", name);
  push_user(L, *box);
  box_free(L, -3);
  return 1;
}

static int signal_name(lua_State *L) {
  char name[SIGNAME_SIZE];
  lua_pushstring(L, signame((int)luaL_checkinteger(L, 1), name));
  return 1;
}

static int is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

static int terminal_size(lua_State *L) {
  int columns, rows;
  terminal_read_size(&columns, &rows);
  lua_pushinteger(L, columns);
  lua_pushinteger(L, rows);
  return 2;
}

static int write_standard(lua_State *L) {
  size_t size;
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd == 1 || fd == 2, 1, "1 or 2 expected");
  const char *text = luaL_checklstring(L, 2, &size);
  return sys_done(L, fd_write_all((int)fd, text, size), "%s", fd == 1 ? "stdout" : "stderr");
}

static int find_program(lua_State *L) {
  char file[PATH_MAX];
  const char *name = sys_path(L, 1), *path = luaL_optstring(L, 2, getenv("PATH"));
  int result = program_find(name, path, file, sizeof file);
  if (result) return sys_fail(L, result, "%s", name);
  lua_pushstring(L, file);
  return 1;
}

static int machine_figures(lua_State *L) {
  struct machine machine;
  machine_read(&machine);
  lua_createtable(L, 0, 8);
  lua_pushnumber(L, machine.load);
  lua_setfield(L, -2, "load");
  set_integer(L, "cpus", machine.cpus);
  set_integer(L, "mem_total", (lua_Integer)machine.mem_total_bytes);
  set_integer(L, "mem_available", (lua_Integer)machine.mem_available_bytes);
  set_integer(L, "cpu_busy", (lua_Integer)machine.cpu_busy_ms);
  set_integer(L, "cpu_total", (lua_Integer)machine.cpu_total_ms);
  set_string(L, "kernel", machine.kernel);
  set_string(L, "distribution", machine.distribution);
  return 1;
}

static int disk(lua_State *L) {
  uint64_t total, available;
  const char *path = sys_path(L, 1);
  int result = machine_disk(path, &total, &available);
  if (result) return sys_fail(L, result, "%s", path);
  lua_createtable(L, 0, 2);
  set_integer(L, "total", (lua_Integer)total);
  set_integer(L, "available", (lua_Integer)available);
  return 1;
}

static int limits(lua_State *L) {
  int resource;
  lua_newtable(L);
  for (size_t i = 0; limits_name(i, &resource); i++) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) continue;
    lua_createtable(L, 2, 0);
    lua_pushinteger(L, limit.rlim_cur == RLIM_INFINITY ? -1 : (lua_Integer)limit.rlim_cur);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, limit.rlim_max == RLIM_INFINITY ? -1 : (lua_Integer)limit.rlim_max);
    lua_rawseti(L, -2, 2);
    lua_setfield(L, -2, limits_name(i, &resource));
  }
  return 1;
}

static int own_figures(lua_State *L) {
  struct machine_self self;
  machine_read_self(&self);
  lua_createtable(L, 0, 3);
  set_integer(L, "rss", (lua_Integer)self.rss_bytes);
  set_integer(L, "fds", self.fds);
  set_integer(L, "children", self.children);
  return 1;
}

static int take_foreground(lua_State *L) {
  lua_Integer pid = luaL_optinteger(L, 1, getpgrp());
  return sys_done(L, terminal_foreground((pid_t)pid), "%s", "terminal's foreground");
}

static void push_signals(lua_State *L) {
  lua_newtable(L);
  for (int signo = 1; signo < SIGRTMIN; signo++) {
    const char *name = sigabbrev_np(signo);
    if (name) set_integer(L, name, signo);
  }
  for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++) {
    char name[SIGNAME_SIZE];
    set_integer(L, signame(signo, name), signo);
  }
}

static void push_errnos(lua_State *L) {
  lua_newtable(L);
  for (int number = 1; number < 256; number++) {
    const char *name = strerrorname_np(number);
    if (name) set_integer(L, name, number);
  }
}

static int random_bytes(lua_State *L) {
  enum { MOST = 256 }; // so much the kernel gives in one piece
  char bytes[MOST];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 1 && count <= MOST, 1, "a number from 1 to 256 expected");
  if (getrandom(bytes, (size_t)count, 0) != count)
    return luaL_error(L, "the kernel gives no randomness");
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

// All that comes, or the first bytes of it.
static int read_input(lua_State *L) {
  lua_Integer most = luaL_checkinteger(L, 1);
  luaL_argcheck(L, most >= 0, 1, "a size in bytes expected");
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t left = (size_t)most; left;) {
    char *piece = luaL_prepbuffer(&buffer);
    size_t size = left < LUAL_BUFFERSIZE ? left : LUAL_BUFFERSIZE;
    ssize_t count = fd_read_waiting(STDIN_FILENO, piece, size);
    if (count < 0) return sys_fail(L, (int)count, "standard input");
    if (!count) break;
    luaL_addsize(&buffer, (size_t)count);
    left -= (size_t)count;
  }
  luaL_pushresult(&buffer);
  return 1;
}

int sys_open_os(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"env", environment},
      {"pid", process_id},
      {"ids", ids},
      {"user", find_user},
      {"random", random_bytes},
      {"signal_name", signal_name},
      {"isatty", is_terminal},
      {"terminal_size", terminal_size},
      {"write", write_standard},
      {"read_input", read_input},
      {"find_program", find_program},
      {"system", machine_figures},
      {"disk", disk},
      {"limits", limits},
      {"self", own_figures},
      {"foreground", take_foreground},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  push_signals(L);
  lua_setfield(L, -2, "signals");
  push_errnos(L);
  lua_setfield(L, -2, "errno");
  return 1;
}
