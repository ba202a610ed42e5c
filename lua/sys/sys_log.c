#include "sys/sys.h"

#include <errno.h>
#include <string.h>

#include "log/logs.h"
#include "show.h"
#include "sys/options.h"
#include "sys/window.h"

static struct logs *logs_of(lua_State *L) {
  return engine_logs(sys_engine(L));
}

static uint64_t check_id(lua_State *L) {
  return (uint64_t)luaL_checkinteger(L, 1);
}

static int open_log(lua_State *L) {
  static const char *const formats[] = {
      [LOG_RAW] = "raw", [LOG_TEXT] = "text", [LOG_JSON] = "json", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  struct log_options options = {
      .dir = options_text(L, 1, "dir", 0),
      .name = options_text(L, 1, "name", 0),
      .max_size_bytes = (uint64_t)options_size(L, 1, "max_size", 0),
      .max_files = (unsigned)options_size(L, 1, "max_files", 5),
      .format = (enum log_format)options_choice(L, 1, "format", formats),
  };
  uint64_t id;
  int result = logs_open(logs_of(L), &options, &id);
  if (result) return sys_fail(L, result, "%s/%s.log", options.dir, options.name);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int set_epoch(lua_State *L) {
  logs_epoch(logs_of(L), check_id(L), (uint32_t)luaL_checkinteger(L, 2));
  return 0;
}

static int gone_or_true(lua_State *L, int result) {
  if (result == -ENOENT) return sys_refuse(L, "gone", "no such log any more");
  return sys_done(L, result, "%s", "log");
}

static int write_log(lua_State *L) {
  size_t size;
  lua_Integer stream = luaL_checkinteger(L, 2);
  const char *bytes = luaL_checklstring(L, 3, &size);
  luaL_argcheck(L, stream >= LOG_STDOUT && stream <= LOG_OURS, 2, "stream 1, 2 or 3 expected");
  return gone_or_true(L, logs_write(logs_of(L), check_id(L), (int)stream, bytes, size));
}

static int match(lua_State *L) {
  struct needle_spec spec = window_check_pattern(L, 2, 2);
  uint64_t watch;
  char why[160];
  int result = logs_match(logs_of(L), check_id(L), &spec, &watch, why, sizeof why);
  if (result == -EINVAL)
    return sys_refuse(L, "EINVAL", "'%s' can't be looked for: %s", spec.text, why);
  if (result) return gone_or_true(L, result);
  lua_pushinteger(L, (lua_Integer)watch);
  return 1;
}

static int news(lua_State *L) {
  uint64_t ids[LOGS_NEWS];
  size_t count = logs_news(logs_of(L), ids);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)ids[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

// false, 'told', or true: followed.
static int notify(lua_State *L) {
  bool told = lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "told") == 0;
  enum log_notice notice = told ? LOG_TOLD : lua_toboolean(L, 2) ? LOG_FOLLOWED : LOG_UNTOLD;
  logs_notify(logs_of(L), check_id(L), notice);
  return 0;
}

static int lines(lua_State *L) {
  struct line_filter filter;
  lua_settop(L, 2);
  if (!window_check_filter(L, 2, &filter)) return 3;
  struct lines *found = window_push_box(L);
  int result = logs_lines(logs_of(L), check_id(L), &filter, found);
  if (result) return gone_or_true(L, result);
  window_push_lines(L, -1);
  return 1;
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static int stat_log(lua_State *L) {
  struct log_stat stat;
  int result = logs_stat(logs_of(L), check_id(L), &stat);
  if (result) return gone_or_true(L, result);
  lua_createtable(L, 0, 5);
  set_integer(L, "size", stat.size_bytes);
  set_integer(L, "lines", stat.lines);
  set_integer(L, "lost", stat.lost_bytes);
  set_integer(L, "queued", stat.queued_bytes);
  lua_pushstring(L, stat.path);
  lua_setfield(L, -2, "path");
  return 1;
}

static int limit(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  uint64_t max_size_bytes = (uint64_t)options_size(L, 2, "max_size", 0);
  unsigned max_files = (unsigned)options_size(L, 2, "max_files", 5);
  return gone_or_true(L, logs_limit(logs_of(L), check_id(L), max_size_bytes, max_files));
}

static int close_log(lua_State *L) {
  logs_close(logs_of(L), check_id(L));
  return 0;
}

static int show(lua_State *L) {
  uint64_t lost, id = check_id(L), request = (uint64_t)luaL_checkinteger(L, 2);
  char *recent = lua_newuserdatauv(L, LOGS_RECENT, 0);
  ssize_t size = show_terminal(sys_engine(L), id, request, recent, &lost);
  if (size < 0) return gone_or_true(L, (int)size);
  lua_pushlstring(L, recent, (size_t)size);
  lua_pushinteger(L, (lua_Integer)lost);
  return 2;
}

static int hide(lua_State *L) {
  show_end(sys_engine(L), check_id(L), (uint64_t)luaL_checkinteger(L, 2));
  return 0;
}

static int flush(lua_State *L) {
  lua_Integer timeout_ms = luaL_checkinteger(L, 1);
  luaL_argcheck(L, timeout_ms >= 0, 1, "milliseconds, 0 or more, expected");
  struct engine *engine = sys_engine(L);
  lua_pushboolean(L, !engine->logs || logs_flush(engine->logs, (unsigned)timeout_ms));
  return 1;
}

int sys_open_log(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", open_log},   {"epoch", set_epoch}, {"write", write_log}, {"match", match},
      {"notify", notify},   {"news", news},       {"lines", lines},     {"stat", stat_log},
      {"close", close_log}, {"flush", flush},     {"show", show},       {"hide", hide},
      {"limit", limit},     {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_line(lua_State *L, const struct event *event) {
  const struct event_line *line = (const struct event_line *)event;
  lua_pushlstring(L, line->text, line->size_bytes);
  lua_pushinteger(L, line->stream);
  lua_pushinteger(L, (lua_Integer)line->at_ms);
  lua_pushinteger(L, (lua_Integer)line->lost);
  return 4;
}

int sys_push_output(lua_State *L, const struct event *event) {
  const struct event_output *output = (const struct event_output *)event;
  lua_pushinteger(L, (lua_Integer)output->end_offset);
  lua_pushinteger(L, (lua_Integer)output->lines);
  return 2;
}

int sys_push_logfault(lua_State *L, const struct event *event) {
  const struct event_logfault *fault = (const struct event_logfault *)event;
  lua_pushstring(L, fault->message); // nil when it goes on
  if (fault->message) return 1;
  lua_pushinteger(L, (lua_Integer)fault->lost_bytes);
  return 2;
}
