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
    [EV_EXIT] = {"exit", sys_push_exit},
    [EV_JOBSTOP] = {"jobstop", sys_push_jobstop},
    [EV_SWEPT] = {"swept", sys_push_swept},
    [EV_LINE] = {"line", sys_push_line},
    [EV_OUTPUT] = {"output", sys_push_output},
    [EV_LOGFAULT] = {"logfault", sys_push_logfault},
    [EV_HTTP] = {"http", sys_push_http},
    [EV_PIECE] = {"piece", sys_push_piece},
    [EV_CONNECT] = {"connect", sys_push_connect},
    [EV_REQUEST] = {"request", sys_push_request},
    [EV_GONE] = {"gone", sys_push_gone},
    [EV_RESPONSE] = {"response", sys_push_response},
    [EV_FRAME] = {"frame", sys_push_frame},
    [EV_INPUT] = {"input", sys_push_input},
    [EV_DATAGRAM] = {"datagram", sys_push_datagram},
    [EV_CHANGE] = {"change", sys_push_change},
    [EV_DRAIN] = {"drain", NULL},
    [EV_EDIT] = {"edit", sys_push_edit},
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
