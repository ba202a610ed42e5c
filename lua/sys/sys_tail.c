#include "sys/sys.h"

#include "log/tail.h"
#include "sys/options.h"
#include "sys/window.h"

static struct tails *tails_of(lua_State *L) {
  return engine_tails(sys_engine(L));
}

static uint64_t check_id(lua_State *L) {
  return (uint64_t)luaL_checkinteger(L, 1);
}

static int open_tail(lua_State *L) {
  static const char *const ends[] = {"start", "end", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  struct tail_options options = {
      .dir = options_text(L, 1, "dir", 0),
      .name = options_text(L, 1, "name", 0),
      .prefix = options_text(L, 1, "prefix", 0),
      .err_prefix = options_text(L, 1, "err_prefix", 1),
      .from_end = options_choice(L, 1, "from", ends) == 1,
  };
  uint64_t id, offset;
  int result = tails_open(tails_of(L), &options, &id, &offset);
  if (result) return sys_fail(L, result, "%s/%s.log", options.dir, options.name);
  lua_pushinteger(L, (lua_Integer)id);
  lua_pushinteger(L, (lua_Integer)offset);
  return 2;
}

static int watch(lua_State *L) {
  tails_watch(tails_of(L));
  return 0;
}

static int wake(lua_State *L) {
  tails_wake(tails_of(L), check_id(L));
  return 0;
}

static int style(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "escape");
  tails_style(tails_of(L), lua_toboolean(L, -1));
  return 0;
}

static int say(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_Integer at_ms = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, at_ms >= 0, 2, "a time in milliseconds expected");
  int result = tails_say(tails_of(L), text, size, (uint64_t)at_ms * 1000);
  return sys_done(L, result, "%s", "standard output");
}

static int drain(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)tails_drain(tails_of(L)));
  return 1;
}

static int close_tail(lua_State *L) {
  tails_close(tails_of(L), check_id(L));
  return 0;
}

static int lines(lua_State *L) {
  struct line_filter filter;
  lua_settop(L, 3);
  const char *dir = sys_path(L, 1), *name = sys_path(L, 2);
  if (!window_check_filter(L, 3, &filter)) return 3;
  lua_Integer before = -1;
  if (lua_istable(L, 3) && lua_getfield(L, 3, "before") != LUA_TNIL)
    before = options_size(L, 3, "before", 0);
  struct lines *found = window_push_box(L);
  int box = lua_gettop(L);
  const char *stem = lua_pushfstring(L, "%s/%s", dir, name); // box stem
  int result = lines_read(found, stem, &filter, NULL, before < 0 ? LINES_NO_END : (uint64_t)before);
  if (result) return sys_fail(L, result, "%s.log", stem);
  window_push_lines(L, box);
  return 1;
}

int sys_open_tail(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", open_tail}, {"watch", watch},      {"wake", wake},   {"style", style}, {"say", say},
      {"drain", drain},    {"close", close_tail}, {"lines", lines}, {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
