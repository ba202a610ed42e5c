#include "os/console.h"
#include "os/rescue.h"

#include <errno.h>

#include "sys/sys.h"

static struct console *console_of(lua_State *L) {
  return engine_console(sys_engine(L));
}

static int open_console(lua_State *L) {
  uint64_t id;
  int error = console_open(console_of(L), &id);
  if (error == -EAGAIN) return sys_refuse(L, "background", "another job has the terminal");
  if (error == -ENOTTY || error == -ENXIO) return sys_refuse(L, "ENOTTY", "this is no terminal");
  if (error) return sys_fail(L, error, "terminal");
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int suspend(lua_State *L) {
  console_suspend(console_of(L));
  return 0;
}

static int resume(lua_State *L) {
  lua_pushboolean(L, console_resume(console_of(L)));
  return 1;
}

static int rescue(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, size <= RESCUE_WORDS, 1, "at most 256 bytes expected");
  rescue_say(bytes, size);
  return 0;
}

int sys_open_console(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", open_console},
                                       {"suspend", suspend},
                                       {"resume", resume},
                                       {"rescue", rescue},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_input(lua_State *L, const struct event *event) {
  const struct input_event *input = (const struct input_event *)event;
  lua_pushlstring(L, input->bytes, input->size);
  return 1;
}
