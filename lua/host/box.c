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

// Registered when it is whole: one without __gc, for memory had ended meanwhile, would free
// nothing.
void box_set_type(lua_State *L, const char *type, lua_CFunction collected) {
  if (luaL_getmetatable(L, type) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 2); // userdata metatable
    lua_pushcfunction(L, collected);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, type);
  }
  lua_setmetatable(L, -2); // userdata
}

void **box_push(lua_State *L, void (*destroy)(void *)) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 0); // box
  *box = (struct box){.destroy = destroy};
  box_set_type(L, box_type, collect);
  return &box->content;
}

void box_free(lua_State *L, int index) {
  empty(luaL_checkudata(L, index, box_type));
}
