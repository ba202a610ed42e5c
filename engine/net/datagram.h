// Unix datagram sockets that others write short texts to; who wrote is told by the kernel.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

enum { DATAGRAM_MAX = 4096 }; // longer ones are dropped

// EV_DATAGRAM.
struct datagram_event {
  struct event event;
  pid_t pid; // of the sender; 0 when it can't be seen from here
  uid_t uid;
  size_t size_bytes;
  char text[];
};

struct datagrams;

struct datagrams *datagrams_create(struct loop *loop);
void datagrams_destroy(struct datagrams *datagrams); // NULL is fine

// Binds a socket with mode 0600, in the place of a socket file that is there; a path that begins
// with '@' is a name in the abstract namespace, which any uid may write to. -ENAMETOOLONG above
// 107 bytes, -EEXIST when the path is no socket. Descriptors that come with a text are closed.
int datagrams_open(struct datagrams *datagrams, const char *path, uint64_t *id);
// Closes it and removes its file. False: no such socket.
bool datagrams_cancel(struct datagrams *datagrams, uint64_t id);
