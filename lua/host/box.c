#include "host/box.h"

#include <lauxlib.h>

struct box {
  void *content;
  void (*destroy)(void *);
};

static const char box_type[] = "pactlua.box";

static void empty(struct box *box) {
  void *content = box->content;
  box->content = NULL;
  if (content) box->destroy(content);
}

static int collect(lua_State *L) {
  empty(luaL_checkudata(L, 1, box_type));
  return 0;
}

void **box_push(lua_State *L, void (*destroy)(void *)) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0); // box
  *box = (struct box){.destroy = destroy};
  if (luaL_newmetatable(L, box_type)) { // box metatable
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2); // box
  return &box->content;
}

void box_free(lua_State *L, int index) {
  empty(luaL_checkudata(L, index, box_type));
}
