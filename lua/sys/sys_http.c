#include "sys/sys.h"

#include "net/http_client.h"
#include "sys/pairs.h"

enum { MAX_BODY_DEFAULT = 64 * 1024 };

// Fields of the options at index 1. Each leaves its value on the stack, so that strings live on.
static const char *text_field(lua_State *L, const char *name, size_t *size) {
  int type = lua_getfield(L, 1, name);
  if (type == LUA_TNIL) return NULL;
  if (type != LUA_TSTRING) luaL_error(L, "bad request: '%s' isn't a string", name);
  return lua_tolstring(L, -1, size);
}

static size_t number_field(lua_State *L, const char *name, lua_Integer fallback) {
  int is_integer = 1;
  lua_Integer value = fallback;
  if (lua_getfield(L, 1, name) != LUA_TNIL) value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || value < 0 || value > UINT32_MAX)
    luaL_error(L, "bad request: '%s' isn't an integer, 0 or more", name);
  return (size_t)value;
}

static int request(lua_State *L) {
  struct http_options options = {0};
  size_t size;
  luaL_checktype(L, 1, LUA_TTABLE);
  options.url = text_field(L, "url", &size);
  options.method = text_field(L, "method", &size);
  options.body = text_field(L, "body", &options.body_size);
  options.user_agent = text_field(L, "user_agent", &size);
  options.timeout_ms = (unsigned)number_field(L, "timeout", 0);
  options.max_body = number_field(L, "max_body", MAX_BODY_DEFAULT);
  options.redirects = (unsigned)number_field(L, "redirects", 0);
  lua_getfield(L, 1, "insecure");
  options.insecure = lua_toboolean(L, -1);
  lua_getfield(L, 1, "stream");
  options.stream = lua_toboolean(L, -1);
  lua_getfield(L, 1, "headers");
  options.headers = pairs_check(L, -1, &options.header_count);
  luaL_argcheck(L, options.url, 1, "'url' is missing");
  luaL_argcheck(L, options.timeout_ms, 1, "'timeout' is missing");
  uint64_t id = http_client_request(engine_http_client(sys_engine(L)), &options);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int more(lua_State *L) {
  lua_Integer id = luaL_checkinteger(L, 1);
  if (id > 0) http_client_more(engine_http_client(sys_engine(L)), (uint64_t)id);
  return 0;
}

int sys_open_http(lua_State *L) {
  static const luaL_Reg functions[] = {{"request", request}, {"more", more}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_http(lua_State *L, const struct event *event) {
  const struct http_event *http = (const struct http_event *)event;
  if (http->code) return sys_refuse(L, http->code, "%s", http->message);
  lua_createtable(L, 0, 6); // answer
  lua_pushinteger(L, http->status);
  lua_setfield(L, -2, "status");
  pairs_push(L, http->headers, http->header_count, ", ");
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, http->body ? http->body : "", http->body_size);
  lua_setfield(L, -2, "body");
  lua_pushboolean(L, http->truncated);
  lua_setfield(L, -2, "truncated");
  lua_pushinteger(L, (lua_Integer)http->ms);
  lua_setfield(L, -2, "ms");
  lua_pushstring(L, http->url);
  lua_setfield(L, -2, "url");
  return 1;
}

int sys_push_piece(lua_State *L, const struct event *event) {
  const struct http_piece_event *piece = (const struct http_piece_event *)event;
  lua_pushlstring(L, piece->bytes, piece->size);
  if (!piece->headers) return 1;
  lua_pushinteger(L, piece->status);
  pairs_push(L, piece->headers, piece->header_count, ", ");
  return 3;
}
