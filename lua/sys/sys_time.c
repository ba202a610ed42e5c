#include "sys/sys.h"

#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "loop/sig.h"
#include "loop/timer.h"
#include "os/signame.h"

static int now(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)loop_now_ms(&sys_engine(L)->loop));
  return 1;
}

static int wall(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)loop_wall_ms());
  return 1;
}

static int random_number(lua_State *L) {
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
    bits = loop_now_us(&sys_engine(L)->loop) * UINT64_C(0x9E3779B97F4A7C15);
  lua_pushnumber(L, (lua_Number)(bits >> 11) * 0x1p-53);
  return 1;
}

static int after(lua_State *L) {
  lua_Integer delay_ms = luaL_checkinteger(L, 1);
  luaL_argcheck(L, delay_ms >= 0, 1, "milliseconds, 0 or more, expected");
  uint64_t id = timers_after(engine_timers(sys_engine(L)), (uint64_t)delay_ms);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int check_signal(lua_State *L) {
  int signo = signame_number(luaL_checkstring(L, 1));
  luaL_argcheck(L, signo > 0 && signo != SIGKILL && signo != SIGSTOP, 1,
                "name of a signal that can be caught, without SIG, expected");
  return signo;
}

static int on_signal(lua_State *L) {
  int error = signals_on(engine_signals(sys_engine(L)), check_signal(L));
  return sys_done(L, error, "signal %s", lua_tostring(L, 1));
}

static int off_signal(lua_State *L) {
  signals_off(engine_signals(sys_engine(L)), check_signal(L));
  return 0;
}

int sys_open_time(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"now", now},     {"wall", wall},           {"random", random_number},
      {"after", after}, {"on_signal", on_signal}, {"off_signal", off_signal},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}

int sys_push_timer(lua_State *L, const struct event *event) {
  (void)L;
  (void)event;
  return 0;
}

int sys_push_signal(lua_State *L, const struct event *event) {
  int signo = ((const struct signal_event *)event)->signo;
  char name[SIGNAME_SIZE];
  lua_pushstring(L, signo == SIG_GUARD ? "GUARD" : signame(signo, name));
  return 1;
}
