#include "dispatch.h"

#include <assert.h>

#include "sys/sys.h"

struct row {
  const char *name;
  int (*push)(lua_State *L, const struct event *event); // the values behind id and kind; NULL: none
};

static const struct row rows[] = {
    [EV_TIMER] = {"timer", sys_push_timer},
    [EV_SIGNAL] = {"signal", sys_push_signal},
    [EV_EXIT] = {"exit", NULL},
    [EV_JOBSTOP] = {"jobstop", NULL},
    [EV_SWEPT] = {"swept", NULL},
    [EV_LINE] = {"line", NULL},
    [EV_OUTPUT] = {"output", NULL},
    [EV_LOGFAULT] = {"logfault", NULL},
    [EV_HTTP] = {"http", NULL},
    [EV_CONNECT] = {"connect", NULL},
    [EV_REQUEST] = {"request", NULL},
    [EV_GONE] = {"gone", NULL},
    [EV_RESPONSE] = {"response", NULL},
    [EV_DRAIN] = {"drain", NULL},
};
static_assert(sizeof rows / sizeof *rows == EV_KINDS, "a row for each kind of event");

const char *dispatch_name(enum event_kind kind) {
  return rows[kind].name;
}

int dispatch_push(lua_State *L, const struct event *event) {
  lua_pushinteger(L, (lua_Integer)event->id);
  lua_pushstring(L, rows[event->kind].name);
  return 2 + (rows[event->kind].push ? rows[event->kind].push(L, event) : 0);
}
