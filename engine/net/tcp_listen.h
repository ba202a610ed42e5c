// TCP sockets that listen: what libuv's own have no words for, an address that is refused by name.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Binds and listens, close-on-exec and non-blocking. `host` is a numeric address or localhost
// (IPv4), port 0 any that is free; `*bound` is the port it came to. The descriptor, or -errno;
// -EINVAL: the host is a name.
int tcp_listen(const char *host, uint16_t port, uint16_t *bound);
// The other side's address and port as text: 127.0.0.1:4711, [::1]:4711. 0 or -errno.
int tcp_peer(int fd, char *text, size_t size);
