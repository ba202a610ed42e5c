#include "sys/sys.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tty/edit.h"

static const char *const words[] = {[EDIT_LINE] = "line", [EDIT_END] = "end", [EDIT_TAB] = "tab"};
static_assert(sizeof words / sizeof *words == EDIT_WHATS, "a word for each");

static struct edit *edit_of(lua_State *L) {
  struct edit *edit = sys_engine(L)->edit;
  if (!edit) luaL_error(L, "nobody is asked for lines: open comes first");
  return edit;
}

// A text without NUL bytes, which would end it where libedit reads it.
static const char *text_at(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  luaL_argcheck(L, strlen(text) == size, index, "text without NUL bytes expected");
  return text;
}

static int available(lua_State *L) {
  const char *why = NULL;
  if (!edit_available(&why)) return sys_refuse(L, "ENOSYS", "%s", why);
  lua_pushboolean(L, true);
  return 1;
}

static int open_edit(lua_State *L) {
  const char *why = NULL;
  uint64_t id;
  luaL_argcheck(L, !sys_engine(L)->edit, 1, "it is open already");
  struct engine *engine = sys_engine(L);
  int error = edit_open(&engine->loop, lua_toboolean(L, 1), &engine->edit, &id, &why);
  if (error == -ENOSYS && why) return sys_refuse(L, "ENOSYS", "%s", why);
  if (error) return sys_fail(L, error, "reading lines");
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int close_edit(lua_State *L) {
  struct edit *edit = sys_engine(L)->edit;
  sys_engine(L)->edit = NULL;
  edit_destroy(edit);
  return 0;
}

static int read_line(lua_State *L) {
  edit_read(edit_of(L), text_at(L, 1));
  return 0;
}

static int cancel(lua_State *L) {
  lua_pushboolean(L, edit_cancel(edit_of(L), luaL_optstring(L, 1, "")));
  return 1;
}

static int typed(lua_State *L) {
  lua_pushboolean(L, edit_typed(edit_of(L)));
  return 1;
}

static int write_above(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  return sys_done(L, edit_write(edit_of(L), bytes, size), "%s", "stdout");
}

static int remember(lua_State *L) {
  edit_remember(edit_of(L), text_at(L, 1));
  return 0;
}

static int complete(lua_State *L) {
  const char *before = text_at(L, 1), *text = text_at(L, 3);
  lua_Integer back = luaL_checkinteger(L, 2);
  luaL_argcheck(L, back >= 0 && back <= INT_MAX, 2, "a number of characters expected");
  lua_pushboolean(L, edit_complete(edit_of(L), before, (int)back, text));
  return 1;
}

static int suspend(lua_State *L) {
  edit_suspend(edit_of(L));
  return 0;
}

static int resume(lua_State *L) {
  edit_resume(edit_of(L));
  return 0;
}

static int resize(lua_State *L) {
  edit_resize(edit_of(L));
  return 0;
}

static int clear(lua_State *L) {
  edit_clear(edit_of(L));
  return 0;
}

int sys_open_edit(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"available", available}, {"open", open_edit},    {"close", close_edit},
      {"read", read_line},      {"cancel", cancel},     {"typed", typed},
      {"write", write_above},   {"remember", remember}, {"complete", complete},
      {"suspend", suspend},     {"resize", resize},     {"resume", resume},
      {"clear", clear},         {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_edit(lua_State *L, const struct event *event) {
  const struct edit_event *edit = (const struct edit_event *)event;
  lua_pushstring(L, words[edit->what]);
  lua_pushlstring(L, edit->text, edit->size);
  lua_pushinteger(L, (lua_Integer)edit->cursor);
  return 3;
}
