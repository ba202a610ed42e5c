#include "sys/sys.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/utf8.h"

static int hash(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  char digits[17];
  snprintf(digits, sizeof digits, "%016" PRIx64, hash_bytes(text, size));
  lua_pushstring(L, digits);
  return 1;
}

static int width(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_pushinteger(L, (lua_Integer)utf8_width(text, size));
  return 1;
}

int sys_open_text(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hash", hash},
      {"width", width},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
