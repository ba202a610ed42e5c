// TCP ports of this machine: whether one can be listened on, and if not, why.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PORT_COMMAND_MAX = 512 };

struct port_holder {
  pid_t pid;
  uid_t uid; // of the socket
  char name[16];
  char command[PORT_COMMAND_MAX]; // arguments, joined by spaces; cut where it is longer
};

// A port that nothing listens on, on any address; 0 when none was to be had.
uint16_t port_free(void);
// 0 when a server could listen on it, on 127.0.0.1, on all IPv4 and on all IPv6 addresses.
// -EADDRINUSE when somebody has it, -EACCES when we may not. Lingering connections of a server with
// SO_REUSEADDR don't count.
int port_check(uint16_t port);
// Connections in their last states (TIME_WAIT and what leads there) hold the port and nobody else
// does: a server without SO_REUSEADDR can't have it for up to a minute.
bool port_lingers(uint16_t port);
// Who listens on it; when nobody does, who talks from it. False: nobody, or a process we can't see
// into.
bool port_find_holder(uint16_t port, struct port_holder *holder);
