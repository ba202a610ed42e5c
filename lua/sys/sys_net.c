#include "sys/sys.h"

#include <errno.h>
#include <string.h>

#include "net/datagram.h"
#include "net/listeners.h"
#include "net/port.h"
#include "net/tcp.h"
#include "sys/options.h"

static uint16_t check_port(lua_State *L, int index) {
  lua_Integer port = luaL_checkinteger(L, index);
  luaL_argcheck(L, port >= 1 && port <= 65535, index, "a port from 1 to 65535 expected");
  return (uint16_t)port;
}

static int connect_to(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "host");
  lua_getfield(L, 1, "port");
  lua_getfield(L, 1, "timeout");
  const char *host = sys_path(L, 2);
  uint16_t port = check_port(L, 3);
  lua_Integer timeout_ms = luaL_checkinteger(L, 4);
  luaL_argcheck(L, timeout_ms > 0 && timeout_ms <= UINT32_MAX, 4, "milliseconds expected");
  uint64_t id = tcp_probe(engine_tcp_probes(sys_engine(L)), host, port, (unsigned)timeout_ms);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int free_port(lua_State *L) {
  uint16_t port = port_free();
  if (!port) return sys_refuse(L, "EADDRINUSE", "no TCP port is free");
  lua_pushinteger(L, port);
  return 1;
}

static int port_is_free(lua_State *L) {
  int error = port_check(check_port(L, 1));
  lua_pushboolean(L, error == 0);
  if (!error) return 1;
  lua_pushstring(L, strerrorname_np(-error));
  return 2;
}

static int port_holder(lua_State *L) {
  struct port_holder holder;
  if (!port_find_holder(check_port(L, 1), &holder)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 4); // holder
  lua_pushinteger(L, holder.pid);
  lua_setfield(L, -2, "pid");
  lua_pushstring(L, holder.name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, holder.command);
  lua_setfield(L, -2, "command");
  lua_pushinteger(L, holder.uid);
  lua_setfield(L, -2, "uid");
  return 1;
}

static int lingers(lua_State *L) {
  lua_pushboolean(L, port_lingers(check_port(L, 1)));
  return 1;
}

static int open_datagrams(lua_State *L) {
  const char *path = sys_path(L, 1);
  uint64_t id;
  int error = datagrams_open(engine_datagrams(sys_engine(L)), path, &id);
  if (error) return sys_fail(L, error, "%s", path);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int listen_unix(lua_State *L, const char *path) {
  uint64_t id;
  int error = listeners_open_unix(engine_listeners(sys_engine(L)), path, &id);
  if (error) return sys_fail(L, error, "socket '%s'", path);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int listen_on(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *path = options_text(L, 1, "path", 1);
  if (path) return listen_unix(L, path);
  const char *host = options_text(L, 1, "host", 0);
  lua_Integer port = options_size(L, 1, "port", 0);
  luaL_argcheck(L, port <= 65535, 1, "a port from 0 to 65535 expected");
  uint64_t id;
  uint16_t bound;
  struct listeners *listeners = engine_listeners(sys_engine(L));
  int error = listeners_open_tcp(listeners, host, (uint16_t)port, &id, &bound);
  if (error == -EINVAL) return sys_refuse(L, "EINVAL", "'%s' is no address of this machine", host);
  if (error) return sys_fail(L, error, "%s:%d", host, (int)port);
  lua_pushinteger(L, (lua_Integer)id);
  lua_pushinteger(L, bound);
  return 2;
}

static int block(lua_State *L) {
  uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
  return sys_done(L, listeners_block(engine_listeners(sys_engine(L)), id), "%s", "the socket");
}

int sys_open_net(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"connect", connect_to},      {"free_port", free_port},  {"port_free", port_is_free},
      {"port_holder", port_holder}, {"port_lingers", lingers}, {"datagrams", open_datagrams},
      {"listen", listen_on},        {"block", block},          {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_connect(lua_State *L, const struct event *event) {
  const struct connect_event *connect = (const struct connect_event *)event;
  if (connect->code) return sys_refuse(L, connect->code, "%s", connect->message);
  lua_pushboolean(L, 1);
  return 1;
}

int sys_push_datagram(lua_State *L, const struct event *event) {
  const struct datagram_event *datagram = (const struct datagram_event *)event;
  lua_pushlstring(L, datagram->text, datagram->size_bytes);
  lua_pushinteger(L, datagram->pid);
  lua_pushinteger(L, datagram->uid);
  return 3;
}
