#include "sys/answer.h"

#include <errno.h>

#include "net/control.h"
#include "net/frame.h"
#include "sys/pairs.h"
#include "sys/sys.h"

static struct http_server *server_of(lua_State *L) {
  return control_server(engine_control(sys_engine(L)));
}

// What an answering call gives: true, or that the client has left. The rest is misuse.
static int answered(lua_State *L, int result) {
  if (result == -EALREADY) return luaL_error(L, "this request has been answered already");
  if (result == -EINVAL) return luaL_error(L, "stream must come first");
  if (result < 0) return sys_refuse(L, "gone", "the client has left");
  lua_pushboolean(L, 1);
  return 1;
}

static int check_status(lua_State *L, int index) {
  lua_Integer status = luaL_checkinteger(L, index);
  luaL_argcheck(L, status >= 200 && status <= 599, index, "a status from 200 to 599 expected");
  return (int)status;
}

static int respond(lua_State *L) {
  size_t count, size;
  uint64_t request = (uint64_t)luaL_checkinteger(L, 1);
  int status = check_status(L, 2);
  const char *body = luaL_optlstring(L, 4, "", &size);
  const struct http_pair *headers = pairs_check(L, 3, &count);
  return answered(L,
                  http_server_respond(server_of(L), request, status, headers, count, body, size));
}

static int stream(lua_State *L) {
  size_t count;
  uint64_t request = (uint64_t)luaL_checkinteger(L, 1);
  int status = check_status(L, 2);
  const struct http_pair *headers = pairs_check(L, 3, &count);
  return answered(L, http_server_stream(server_of(L), request, status, headers, count));
}

static int write_piece(lua_State *L) {
  size_t size;
  uint64_t request = (uint64_t)luaL_checkinteger(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &size);
  int64_t queued = http_server_write(server_of(L), request, bytes, size);
  if (queued < 0) return answered(L, (int)queued);
  lua_pushinteger(L, queued);
  return 1;
}

static int await(lua_State *L) {
  int64_t queued = http_server_await(server_of(L), (uint64_t)luaL_checkinteger(L, 1));
  if (queued < 0) return answered(L, (int)queued);
  lua_pushboolean(L, queued > HTTP_SERVER_LOW);
  return 1;
}

static int finish(lua_State *L) {
  return answered(L, http_server_finish(server_of(L), (uint64_t)luaL_checkinteger(L, 1)));
}

static int upgrade(lua_State *L) {
  return answered(L, http_server_upgrade(server_of(L), (uint64_t)luaL_checkinteger(L, 1)));
}

static int send_frame(lua_State *L) {
  size_t kind_size, size;
  uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
  const char *kind = luaL_checklstring(L, 2, &kind_size);
  const char *bytes = luaL_checklstring(L, 3, &size);
  luaL_argcheck(L, kind_size == 1 && frame_kind_valid(*kind), 2, "'b' or 'j' expected");
  int64_t queued = control_frame(engine_control(sys_engine(L)), id, *kind, bytes, size);
  luaL_argcheck(L, queued != -EINVAL, 1, "it isn't upgraded, or the frame is too large");
  if (queued == -ENOBUFS) return sys_refuse(L, "ENOBUFS", "the other side takes nothing");
  if (queued < 0) return sys_refuse(L, "gone", "the other side has left");
  lua_pushinteger(L, queued);
  return 1;
}

const luaL_Reg answer_functions[] = {
    {"respond", respond}, {"stream", stream},   {"write", write_piece}, {"await", await},
    {"finish", finish},   {"upgrade", upgrade}, {"frame", send_frame},  {NULL, NULL},
};
