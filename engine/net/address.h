// Network addresses, and words about time and reachability that probes have in common.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESSES_MAX = 8, MS_TEXT_SIZE = 32 };

union address {
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
};

struct addresses {
  size_t count;
  union address list[ADDRESSES_MAX];
};

// Knows a numeric address (IPv6 with or without brackets and zone), `localhost` and what ends in
// `.localhost` without asking anybody. Ports are 0. False: the name must be looked up.
bool addresses_known(struct addresses *addresses, const char *host);
void address_set_port(union address *address, uint16_t port);
// Text of an address without its port, such as 127.0.0.1 or ::1.
const char *address_text(const union address *address, char text[INET6_ADDRSTRLEN]);

// `5s`, `1m30s`, `1500ms`.
const char *ms_text(uint64_t ms, char text[MS_TEXT_SIZE]);
