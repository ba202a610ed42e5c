#include "sys/sys.h"

#include <errno.h>

#include "net/control.h"
#include "net/http_reader.h"
#include "net/tcp_listen.h"
#include "net/unix_socket.h"
#include "sys/answer.h"
#include "sys/options.h"

static unsigned limit(lua_State *L, const char *name, lua_Integer fallback) {
  lua_Integer value = options_size(L, 1, name, fallback);
  luaL_argcheck(L, value <= INT32_MAX, 1, name);
  return (unsigned)value;
}

static struct http_limits limits_of(lua_State *L) {
  static const char *const forms[] = {"text", "json", NULL};
  static const char *const ways[] = {"refuse", "give_way", NULL};
  return (struct http_limits){
      .head_ms = limit(L, "head_timeout", 10000),
      .body_ms = limit(L, "body_timeout", 30000),
      .idle_ms = limit(L, "idle_timeout", 60000),
      .take_ms = limit(L, "take_timeout", 60000),
      .body_bytes = limit(L, "max_body", HTTP_REQUEST_BODY_MAX),
      .clients = limit(L, "max_connections", 1000),
      .give_way = options_choice(L, 1, "when_full", ways) == 1,
      .json_refusals = options_choice(L, 1, "refusals", forms) == 1,
  };
}

static int serve(lua_State *L, int fd, const char *path, const struct http_limits *limits,
                 uint64_t *id) {
  struct engine *engine = sys_engine(L);
  engine_procs(engine); // raises our limit of open files, and gives processes the user's own
  return http_server_serve(control_server(engine_control(engine)), fd, path, limits, id);
}

static int listen_unix(lua_State *L, const char *path, const struct http_limits *limits) {
  uint64_t id;
  int fd = unix_socket_listen(path);
  int error = fd < 0 ? fd : serve(L, fd, path, limits, &id);
  if (error) return sys_fail(L, error, "socket '%s'", path);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int listen_tcp(lua_State *L, const char *host, uint16_t port,
                      const struct http_limits *limits) {
  uint16_t bound;
  uint64_t id;
  int fd = tcp_listen(host, port, &bound);
  if (fd == -EINVAL) return sys_refuse(L, "EINVAL", "'%s' is no address of this machine", host);
  int error = fd < 0 ? fd : serve(L, fd, NULL, limits, &id);
  if (error) return sys_fail(L, error, "%s:%d", host, (int)port);
  lua_pushinteger(L, (lua_Integer)id);
  lua_pushinteger(L, bound);
  return 2;
}

static int listen_on(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  struct http_limits limits = limits_of(L); // all that may raise comes before anything is open
  const char *path = options_text(L, 1, "path", 1);
  if (path) return listen_unix(L, path, &limits);
  const char *host = options_text(L, 1, "host", 0);
  lua_Integer port = options_size(L, 1, "port", 0);
  luaL_argcheck(L, port <= 65535, 1, "a port from 0 to 65535 expected");
  return listen_tcp(L, host, (uint16_t)port, &limits);
}

int sys_open_web(lua_State *L) {
  static const luaL_Reg functions[] = {{"listen", listen_on}, {NULL, NULL}};
  luaL_newlib(L, functions);
  luaL_setfuncs(L, answer_functions, 0);
  return 1;
}
