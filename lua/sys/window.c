#include "sys/window.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/box.h"
#include "sys/options.h"
#include "sys/sys.h"

#define COUNT_DEFAULT 100

struct needle_spec window_check_pattern(lua_State *L, int index, int argument) {
  struct needle_spec spec = {.regex = lua_istable(L, index)};
  index = lua_absindex(L, index);
  if (spec.regex) {
    lua_getfield(L, index, "regex"); // regex: the table keeps it
    index = lua_gettop(L);
  }
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_argerror(L, argument, "text or { regex = text } expected");
  spec.text = lua_tolstring(L, index, &spec.size_bytes);
  if (spec.regex) lua_pop(L, 1);
  return spec;
}

static void destroy_needle(void *content) {
  needle_finish(content);
  free(content);
}

static bool check_grep(lua_State *L, int table, void **box, struct line_filter *filter) {
  lua_getfield(L, table, "grep");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return true;
  }
  struct needle_spec spec = window_check_pattern(L, -1, table);
  char why[160];
  struct needle *needle = mem_new(sizeof *needle);
  if (needle_init(needle, &spec, why, sizeof why) != 0) {
    free(needle);
    sys_refuse(L, "EINVAL", "'%s' can't be searched for: %s", spec.text, why);
    return false;
  }
  lua_pop(L, 1);
  *box = filter->grep = needle;
  return true;
}

bool window_check_filter(lua_State *L, int index, struct line_filter *filter) {
  *filter = (struct line_filter){.count = COUNT_DEFAULT, .epoch = -1};
  void **box = box_push(L, destroy_needle);
  if (lua_isnoneornil(L, index)) return true;
  luaL_checktype(L, index, LUA_TTABLE);
  filter->count = (size_t)options_size(L, index, "count", COUNT_DEFAULT);
  filter->since_ms = (uint64_t)options_size(L, index, "since", 0);
  filter->line_max = (size_t)options_size(L, index, "longest", 0);
  filter->stream = (int)options_size(L, index, "stream", 0);
  lua_Integer epoch = options_size(L, index, "epoch", 0);
  if (lua_getfield(L, index, "epoch") != LUA_TNIL) filter->epoch = epoch;
  lua_pop(L, 1);
  return check_grep(L, index, box, filter);
}

static void destroy_lines(void *content) {
  lines_finish(content);
  free(content);
}

struct lines *window_push_box(lua_State *L) {
  void **box = box_push(L, destroy_lines);
  *box = mem_new(sizeof(struct lines));
  return *box;
}

void window_push_lines(lua_State *L, int index) {
  index = lua_absindex(L, index);
  const struct lines *lines = *(void **)lua_touserdata(L, index);
  lua_createtable(L, (int)lines->count, 0); // list
  for (size_t i = 0; i < lines->count; i++) {
    const struct line *line = &lines->items[i];
    lua_createtable(L, 0, 5); // list line
    lua_pushinteger(L, (lua_Integer)line->at_ms);
    lua_setfield(L, -2, "at");
    lua_pushinteger(L, (lua_Integer)line->mono_us);
    lua_setfield(L, -2, "mono_us");
    lua_pushinteger(L, line->stream);
    lua_setfield(L, -2, "stream");
    lua_pushinteger(L, line->epoch);
    lua_setfield(L, -2, "epoch");
    lua_pushlstring(L, line->text, line->size_bytes);
    lua_setfield(L, -2, "text");
    lua_rawseti(L, -2, (lua_Integer)i + 1); // list
  }
  box_free(L, index);
}
