#include "host/modules.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <lauxlib.h>
#include <lualib.h>

#include "host/embed.h"
#include "host/host.h"

static const struct embedded_module *embedded(const char *name) {
  for (const struct embedded_module *module = embedded_modules; *module->name; module++)
    if (!strcmp(module->name, name)) return module;
  return NULL;
}

// A searcher of package.searchers: name → loader, where it is from. What is embedded is compiled by
// the Lua it was built with; another one can't run it.
static int search_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const struct embedded_module *module = embedded(name);
  if (!module) {
    lua_pushfstring(L, "no module '%s' in the standard library", name);
    return 1;
  }
  const char *code = embedded_code + module->offset;
  if (luaL_loadbufferx(L, code, module->size, name, "b"))
    return luaL_error(L, "%s: this pactlua was built for another version of Lua, build it again",
                      lua_tostring(L, -1));
  host_of(L)->loaded_modules = true;
  lua_pushliteral(L, "the standard library");
  return 2;
}

void modules_drop_pages(struct host *host) {
  if (!host->loaded_modules) return;
  madvise((void *)embedded_code, embedded_size, MADV_DONTNEED);
  host->loaded_modules = false;
}

// Pushes package.searchpath(name, path): a file's name, or nil and where it was looked for.
static void search_path(lua_State *L, const char *name) { // path on top
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);   // path loaded
  lua_getfield(L, -1, LUA_LOADLIBNAME);                   // path loaded package
  lua_getfield(L, -1, "searchpath");                      // path loaded package fn
  lua_pushstring(L, name);
  lua_pushvalue(L, -5);
  lua_call(L, 2, 2);  // path loaded package file why
  lua_replace(L, -4); // path why package file
  lua_replace(L, -2); // path why file
  lua_insert(L, -2);  // path file why
}

// Loads the module's file from the path on top of the stack, as text.
static int load_from_path(lua_State *L, const char *name) {
  search_path(L, name);
  if (lua_isnil(L, -2)) return 1; // where it was looked for
  const char *file = lua_tostring(L, -2);
  if (luaL_loadfilex(L, file, "t"))
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                      lua_tostring(L, -1));
  lua_pushstring(L, file);
  return 2;
}

static int search_checkout(lua_State *L) { // upvalue: its path
  const char *name = luaL_checkstring(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  return load_from_path(L, name);
}

static int search_files(lua_State *L) { // upvalue: the table `package`
  const char *name = luaL_checkstring(L, 1);
  if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
    return luaL_error(L, "'package.path' must be a string");
  if (!*lua_tostring(L, -1)) {
    lua_pushliteral(L, "no recipe's files (package.path is empty)");
    return 1;
  }
  return load_from_path(L, name);
}

// Keeps of package.cpath what lies in absolute directories; package.path is for the recipe's own.
static void clean_paths(lua_State *L) { // package on top
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "path");
  lua_getfield(L, -1, "cpath");
  const char *at = lua_tostring(L, -1);
  luaL_Buffer kept;
  luaL_buffinit(L, &kept);
  for (bool first = true; at && *at;) {
    size_t length = strcspn(at, ";");
    bool loadall = length >= 10 && !strncmp(at + length - 10, "loadall.so", 10);
    if (*at == '/' && !loadall) {
      if (!first) luaL_addchar(&kept, ';');
      luaL_addlstring(&kept, at, length);
      first = false;
    }
    at += length + (at[length] == ';');
  }
  luaL_pushresult(&kept);       // package cpath kept
  lua_setfield(L, -3, "cpath"); // package cpath
  lua_pop(L, 1);
}

// preload, the standard library, the recipe's files, modules of C.
static void set_searchers(lua_State *L, const char *stdlib) { // package on top
  lua_getfield(L, -1, "searchers");                           // package old
  lua_createtable(L, 4, 0);                                   // package old new
  lua_rawgeti(L, -2, 1);
  lua_rawseti(L, -2, 1);
  if (stdlib) {
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", stdlib, stdlib);
    lua_pushcclosure(L, search_checkout, 1);
  } else {
    lua_pushcfunction(L, search_embedded);
  }
  lua_rawseti(L, -2, 2);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, search_files, 1);
  lua_rawseti(L, -2, 3);
  lua_rawgeti(L, -2, 3); // the standard library's searcher for modules of C
  lua_rawseti(L, -2, 4);
  lua_setfield(L, -3, "searchers"); // package old
  lua_pop(L, 1);
}

// load, loadfile, dofile of text alone -----------------------------------------------------------

static void check_mode(lua_State *L, int index) {
  const char *mode = luaL_optstring(L, index, "t");
  if (!strchr(mode, 't')) luaL_argerror(L, index, "precompiled chunks can't be loaded, only text");
}

static int load_text(lua_State *L) { // upvalue: the standard library's load
  check_mode(L, 3);
  bool has_env = lua_gettop(L) >= 4;
  lua_settop(L, has_env ? 4 : 3);
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, has_env ? 4 : 3, LUA_MULTRET);
  return lua_gettop(L);
}

static int loadfile_text(lua_State *L) {
  check_mode(L, 2);
  bool has_env = !lua_isnone(L, 3);
  if (luaL_loadfilex(L, luaL_optstring(L, 1, NULL), "t")) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_env) {
    lua_pushvalue(L, 3);
    if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  }
  return 1;
}

static int finish_dofile(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1;
}

static int dofile_text(lua_State *L) {
  const char *file = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (luaL_loadfilex(L, file, "t")) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, finish_dofile);
  return finish_dofile(L, LUA_OK, 0);
}

static void set_loaders(lua_State *L) {
  lua_getglobal(L, "load");
  lua_pushcclosure(L, load_text, 1);
  lua_setglobal(L, "load");
  lua_register(L, "loadfile", loadfile_text);
  lua_register(L, "dofile", dofile_text);
}

void modules_open(lua_State *L, const char *stdlib) {
  lua_pushboolean(L, 1); // LUA_PATH and LUA_CPATH mean nothing to us
  lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  luaL_openlibs(L);
  set_loaders(L);
  lua_getglobal(L, LUA_LOADLIBNAME); // package
  clean_paths(L);
  set_searchers(L, stdlib);
  lua_pop(L, 1);
}
