#include "sys/sys.h"

#include "host/box.h"
#include "log/feed.h"
#include "sys/options.h"
#include "sys/window.h"

static const char feed_type[] = "pactlua.feed";

// What has been pulled stays in `out` until Lua has it.
struct feed_box {
  struct feed *feed;
  struct bytes out;
};

static struct feed_box *check_box(lua_State *L) {
  return luaL_checkudata(L, 1, feed_type);
}

static struct feed_box *check_feed(lua_State *L) {
  struct feed_box *box = check_box(L);
  luaL_argcheck(L, box->feed, 1, "this feed is closed");
  return box;
}

static int close_feed(lua_State *L) {
  struct feed_box *box = check_box(L);
  feed_destroy(box->feed);
  box->feed = NULL;
  bytes_finish(&box->out);
  return 0;
}

static struct feed_box *push_box(lua_State *L) {
  struct feed_box *box = lua_newuserdatauv(L, sizeof *box, 0); // box
  *box = (struct feed_box){0};
  box_set_type(L, feed_type, close_feed);
  return box;
}

static int open_feed(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  struct feed_options options = {
      .lines = (uint64_t)options_size(L, 1, "lines", LUA_MAXINTEGER),
      .since_ms = (uint64_t)options_size(L, 1, "since", 0),
      .stream = (int)options_size(L, 1, "stream", 0),
  };
  if (options.lines == LUA_MAXINTEGER) options.lines = FEED_ALL;
  lua_getfield(L, 1, "follow");
  options.follow = lua_toboolean(L, -1);
  struct feed_box *box = push_box(L);
  lua_getfield(L, 1, "grep");
  struct needle needle;
  if (!lua_isnil(L, -1)) {
    struct needle_spec spec = window_check_pattern(L, -1, 1);
    char why[160];
    if (needle_init(&needle, &spec, why, sizeof why) != 0)
      return sys_refuse(L, "EINVAL", "'%s' can't be searched for: %s", spec.text, why);
    options.grep = &needle;
  }
  box->feed = feed_create(&options);
  lua_pop(L, 1);
  return 1;
}

static int add(lua_State *L) {
  struct feed_box *box = check_feed(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  const char *dir = options_text(L, 2, "dir", 0), *name = options_text(L, 2, "name", 0);
  const char *head = options_text(L, 2, "head", 0), *tail = options_text(L, 2, "tail", 0);
  lua_getfield(L, 2, "whole");
  size_t number = feed_add(box->feed, dir, name, head, tail, lua_toboolean(L, -1));
  lua_pushinteger(L, (lua_Integer)number);
  return 1;
}

static int wake(lua_State *L) {
  struct feed_box *box = check_feed(L);
  feed_wake(box->feed, (size_t)luaL_checkinteger(L, 2));
  return 0;
}

// Pushed first, then given up: an allocation that fails loses nothing.
static void push_out(lua_State *L, struct feed_box *box) {
  lua_pushlstring(L, box->out.data ? box->out.data : "", box->out.size);
  bytes_finish(&box->out);
}

static int pull(lua_State *L) {
  static const char *const states[] = {
      [FEED_MORE] = "more", [FEED_SOON] = "soon", [FEED_IDLE] = "idle", [FEED_DONE] = "done"};
  struct feed_box *box = check_feed(L);
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size > 0, 2, "a number of bytes expected");
  uint64_t began = uv_hrtime();
  enum feed_state state = box->out.size ? FEED_MORE : feed_pull(box->feed, (size_t)size, &box->out);
  push_out(L, box);
  lua_pushstring(L, states[state]);
  lua_pushinteger(L, (lua_Integer)((uv_hrtime() - began) / 1000));
  return 3;
}

static int end_feed(lua_State *L) {
  struct feed_box *box = check_feed(L);
  feed_end(box->feed, &box->out);
  push_out(L, box);
  return 1;
}

int sys_open_feed(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", open_feed},  {"add", add},          {"wake", wake}, {"pull", pull},
      {"finish", end_feed}, {"close", close_feed}, {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
