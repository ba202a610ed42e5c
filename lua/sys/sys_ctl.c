#include "sys/sys.h"

#include <errno.h>
#include <string.h>

#include "net/control.h"
#include "roles/front_link.h"
#include "sys/answer.h"
#include "sys/pairs.h"

static struct http_server *server_of(lua_State *L) {
  return control_server(engine_control(sys_engine(L)));
}

static struct http_links *links_of(lua_State *L) {
  return control_links(engine_control(sys_engine(L)));
}

static int push_id(lua_State *L, uint64_t id) {
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

// The end of the socketpair that this process has; raises where there is none to take.
static int take_front_fd(lua_State *L) {
  struct front_link *link = sys_engine(L)->front_link;
  int fd = link ? front_link_take(link) : -1;
  if (fd < 0) return luaL_error(L, "this process has no socketpair to another, or it is in use");
  return fd;
}

// ---- the server

static int listen_on(lua_State *L) {
  uint64_t id;
  const char *path = sys_path(L, 1);
  int error = http_server_listen(server_of(L), path, &id);
  return error ? sys_fail(L, error, "control socket '%s'", path) : push_id(L, id);
}

static int serve_front(lua_State *L) {
  uint64_t id;
  int error = http_server_front(server_of(L), take_front_fd(L), &id);
  return error ? sys_fail(L, error, "the front's socketpair") : push_id(L, id);
}

static int close_server(lua_State *L) {
  lua_Integer ms = luaL_checkinteger(L, 1);
  luaL_argcheck(L, ms >= 0, 1, "milliseconds, 0 or more, expected");
  http_server_close(server_of(L), (unsigned)ms);
  return 0;
}

// ---- the client

static int connect_to(lua_State *L) {
  uint64_t id;
  if (lua_isnoneornil(L, 1)) {
    int error = http_link_front(links_of(L), take_front_fd(L), &id);
    return error ? sys_fail(L, error, "the engine's socketpair") : push_id(L, id);
  }
  const char *path = sys_path(L, 1);
  int error = http_link_open(links_of(L), path, &id);
  return error ? sys_fail(L, error, "control socket '%s'", path) : push_id(L, id);
}

static int peer(lua_State *L) {
  pid_t pid;
  uid_t uid;
  int error = http_link_peer(links_of(L), (uint64_t)luaL_checkinteger(L, 1), &pid, &uid);
  if (error == -ENOENT) return sys_refuse(L, "gone", "the engine is gone");
  if (error) return sys_fail(L, error, "the engine's process");
  lua_pushinteger(L, pid);
  lua_pushinteger(L, uid);
  return 2;
}

// A string field of the table at index 2; its value stays on the stack.
static const char *text_field(lua_State *L, const char *name, size_t *size) {
  int type = lua_getfield(L, 2, name);
  if (type == LUA_TNIL) return NULL;
  if (type != LUA_TSTRING) luaL_error(L, "bad request: '%s' isn't a string", name);
  return lua_tolstring(L, -1, size);
}

static int call(lua_State *L) {
  struct http_call request = {0};
  size_t size;
  uint64_t id, link = (uint64_t)luaL_checkinteger(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  request.method = text_field(L, "method", &size);
  request.path = text_field(L, "path", &size);
  request.body = text_field(L, "body", &request.body_size);
  lua_getfield(L, 2, "stream");
  request.stream = lua_toboolean(L, -1);
  lua_getfield(L, 2, "upgrade");
  request.upgrade = lua_toboolean(L, -1);
  lua_getfield(L, 2, "headers");
  request.headers = pairs_check(L, -1, &request.header_count);
  luaL_argcheck(L, request.path, 2, "'path' is missing");
  int error = http_link_call(links_of(L), link, &request, &id);
  if (!error) return push_id(L, id);
  luaL_argcheck(L, error != -EINVAL, 2, "'method' or 'path' can't be sent");
  bool gone = error == -ENOENT || error == -EPIPE || error == -ECONNREFUSED;
  return gone ? sys_refuse(L, "gone", "the engine is gone")
              : sys_fail(L, error, "can't call the engine");
}

static int guard(lua_State *L) {
  const struct front_link *link = sys_engine(L)->front_link;
  if (!link) return luaL_error(L, "this process has no guard");
  lua_createtable(L, 0, 2); // result
  lua_pushinteger(L, link->guard_pid);
  lua_setfield(L, -2, "guard");
  if (!link->ended) return 1;
  lua_pushinteger(L, link->status);
  lua_setfield(L, -2, "status");
  return 1;
}

static int kill_engine(lua_State *L) {
  struct front_link *link = sys_engine(L)->front_link;
  if (!link) return luaL_error(L, "this process has no engine");
  return sys_done(L, front_link_kill_engine(link), "%s", "the engine");
}

static int leave_front(lua_State *L) {
  const struct front_link *link = sys_engine(L)->front_link;
  const char *path = sys_path(L, 1);
  if (!link || link->front) return luaL_error(L, "this process has no front");
  return sys_done(L, front_link_leave(link, path), "%s", path);
}

int sys_open_ctl(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"listen", listen_on},
      {"serve_front", serve_front},
      {"leave_front", leave_front},
      {"close", close_server},
      {"connect", connect_to},
      {"call", call},
      {"peer", peer},
      {"guard", guard},
      {"kill_engine", kill_engine},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  luaL_setfuncs(L, answer_functions, 0);
  return 1;
}

// ---- events

// A listener of its own hears of its requests: their ids come first.
int sys_push_request(lua_State *L, const struct event *event) {
  const struct http_request_event *request = (const struct http_request_event *)event;
  const struct http_message *message = &request->message;
  bool listener = request->request != event->id;
  if (listener) push_id(L, request->request);
  lua_createtable(L, 0, 7); // request
  lua_pushstring(L, message->method);
  lua_setfield(L, -2, "method");
  lua_pushstring(L, message->path);
  lua_setfield(L, -2, "path");
  pairs_push(L, message->query, message->query_count, NULL);
  lua_setfield(L, -2, "query");
  pairs_push(L, message->headers, message->header_count, ", ");
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, message->body ? message->body : "", message->body_size);
  lua_setfield(L, -2, "body");
  lua_pushstring(L, request->remote);
  lua_setfield(L, -2, "remote");
  lua_pushboolean(L, request->front);
  lua_setfield(L, -2, "front");
  lua_pushinteger(L, request->pid);
  lua_setfield(L, -2, "pid");
  return listener ? 2 : 1;
}

int sys_push_gone(lua_State *L, const struct event *event) {
  lua_pushstring(L, ((const struct http_gone_event *)event)->message);
  return 1;
}

int sys_push_frame(lua_State *L, const struct event *event) {
  const struct http_frame_event *frame = (const struct http_frame_event *)event;
  lua_pushlstring(L, &frame->kind, 1);
  lua_pushlstring(L, frame->bytes, frame->size);
  return 2;
}

int sys_push_response(lua_State *L, const struct event *event) {
  const struct http_response_event *response = (const struct http_response_event *)event;
  const struct http_message *message = &response->message;
  if (response->part == HTTP_RESPONSE_PIECE || response->part == HTTP_RESPONSE_END) {
    lua_pushnil(L);
    lua_pushnil(L);
    if (response->part == HTTP_RESPONSE_END) return 2;
    lua_pushlstring(L, response->bytes, response->size);
    return 3;
  }
  lua_pushinteger(L, message->status);
  pairs_push(L, message->headers, message->header_count, ", ");
  if (response->part == HTTP_RESPONSE_HEAD) return 2;
  lua_pushlstring(L, message->body ? message->body : "", message->body_size);
  return 3;
}
