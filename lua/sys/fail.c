#include "sys/sys.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *error_text(int error) {
  return error > 0                        ? strerror(error)
         : error > -4000 && error < -3000 ? uv_strerror(error)
                                          : strerror(-error);
}

static void push_code(lua_State *L, int error) {
  int number = abs(error);
  const char *name = strerrorname_np(number);
  if (name)
    lua_pushstring(L, name);
  else if (number >= 3000 && number < 5000)
    lua_pushstring(L, uv_err_name(-number));
  else
    lua_pushfstring(L, "E%d", number);
}

int sys_fail(lua_State *L, int error, const char *format, ...) {
  va_list arguments;
  lua_pushnil(L);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_pushfstring(L, ": %s", error_text(error));
  lua_concat(L, 2);
  push_code(L, error);
  return 3;
}

int sys_refuse(lua_State *L, const char *code, const char *format, ...) {
  va_list arguments;
  lua_pushnil(L);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_pushstring(L, code);
  return 3;
}

int sys_done(lua_State *L, int result, const char *format, const char *what) {
  if (result < 0) return sys_fail(L, result, format, what);
  lua_pushboolean(L, 1);
  return 1;
}

const char *sys_path(lua_State *L, int index) {
  size_t size;
  const char *path = luaL_checklstring(L, index, &size);
  luaL_argcheck(L, strlen(path) == size, index, "a path without NUL bytes expected");
  return path;
}
