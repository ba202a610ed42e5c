#include "net/tcp_listen.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

static socklen_t size_of(const union address *address) {
  return address->any.sa_family == AF_INET ? sizeof address->ipv4 : sizeof address->ipv6;
}

static uint16_t port_of(const union address *address) {
  return ntohs(address->any.sa_family == AF_INET ? address->ipv4.sin_port
                                                 : address->ipv6.sin6_port);
}

static int bind_and_listen(int fd, const union address *address, uint16_t *bound) {
  int on = 1;
  union address own = {0};
  socklen_t size = sizeof own;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, &address->any, size_of(address)) < 0) return -errno;
  if (listen(fd, SOMAXCONN) < 0 || getsockname(fd, &own.any, &size) < 0) return -errno;
  *bound = port_of(&own);
  return 0;
}

int tcp_listen(const char *host, uint16_t port, uint16_t *bound) {
  struct addresses known = {0};
  if (!addresses_known(&known, host)) return -EINVAL;
  union address address = known.list[0];
  address_set_port(&address, port);
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int error = bind_and_listen(fd, &address, bound);
  if (!error) return fd;
  close(fd);
  return error;
}

int tcp_peer(int fd, char *text, size_t size) {
  union address peer = {0};
  socklen_t peer_size = sizeof peer;
  char ip[INET6_ADDRSTRLEN];
  if (getpeername(fd, &peer.any, &peer_size) < 0) return -errno;
  bool bare = peer.any.sa_family == AF_INET;
  snprintf(text, size, bare ? "%s:%d" : "[%s]:%d", address_text(&peer, ip), port_of(&peer));
  return 0;
}
