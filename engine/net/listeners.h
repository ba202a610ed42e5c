// Listening sockets that we hold for programs we start: they stay open while the programs come and
// go, so that who connects meanwhile waits instead of being refused. Nothing is accepted here.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"

struct listeners;

struct listeners *listeners_create(struct loop *loop);
void listeners_destroy(struct listeners *listeners); // NULL is fine; closes all

// Binds and listens on an address that needs no look-up; port 0 is any that is free, *bound the one
// it came to. 0 and the id, or -errno; -EINVAL: no address of this machine's own.
int listeners_open_tcp(struct listeners *listeners, const char *host, uint16_t port, uint64_t *id,
                       uint16_t *bound);
// The same on a Unix socket, as unix_socket_listen makes it; its file goes with it.
int listeners_open_unix(struct listeners *listeners, const char *path, uint64_t *id);

// The descriptor, ours still; -1 when there is none of that id.
int listeners_fd(const struct listeners *listeners, uint64_t id);
// All who have the socket share whether it blocks; makes it block again, as programs expect it that
// know nothing of those before them. -ENOENT: no such id.
int listeners_block(struct listeners *listeners, uint64_t id);
// Closes it and removes its file; false when there is none of that id.
bool listeners_cancel(struct listeners *listeners, uint64_t id);
