#include "net/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_ipv4(struct addresses *addresses, struct in_addr ip) {
  addresses->list[addresses->count++].ipv4 =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = ip};
}

static void add_ipv6(struct addresses *addresses, struct in6_addr ip, uint32_t zone) {
  addresses->list[addresses->count++].ipv6 =
      (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = ip, .sin6_scope_id = zone};
}

static bool parse_ipv6(struct addresses *addresses, const char *host) {
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
  size_t size = strlen(host);
  bool bracketed = size > 2 && host[0] == '[' && host[size - 1] == ']';
  if (bracketed) host++, size -= 2;
  if (size >= sizeof text) return false;
  memcpy(text, host, size);
  text[size] = '\0';
  uint32_t zone = 0;
  char *percent = strchr(text, '%');
  if (percent) {
    *percent++ = '\0';
    zone = if_nametoindex(percent);
    if (!zone) zone = (uint32_t)strtoul(percent, NULL, 10);
  }
  struct in6_addr ip;
  if (inet_pton(AF_INET6, text, &ip) != 1) return false;
  add_ipv6(addresses, ip, zone);
  return true;
}

bool addresses_known(struct addresses *addresses, const char *host) {
  static const char local[] = ".localhost";
  struct in_addr ip;
  *addresses = (struct addresses){0};
  if (inet_pton(AF_INET, host, &ip) == 1) {
    add_ipv4(addresses, ip);
    return true;
  }
  if (parse_ipv6(addresses, host)) return true;
  size_t size = strlen(host), tail = sizeof local - 1;
  bool below = size > tail && strcasecmp(host + size - tail, local) == 0;
  if (!below && strcasecmp(host, local + 1) != 0) return false;
  add_ipv4(addresses, (struct in_addr){htonl(INADDR_LOOPBACK)});
  add_ipv6(addresses, in6addr_loopback, 0);
  return true;
}

void address_set_port(union address *address, uint16_t port) {
  if (address->any.sa_family == AF_INET)
    address->ipv4.sin_port = htons(port);
  else
    address->ipv6.sin6_port = htons(port);
}

const char *address_text(const union address *address, char text[INET6_ADDRSTRLEN]) {
  const void *ip = address->any.sa_family == AF_INET ? (const void *)&address->ipv4.sin_addr
                                                     : (const void *)&address->ipv6.sin6_addr;
  return inet_ntop(address->any.sa_family, ip, text, INET6_ADDRSTRLEN);
}

const char *ms_text(uint64_t ms, char text[MS_TEXT_SIZE]) {
  uint64_t s = ms / 1000;
  if (ms % 1000)
    snprintf(text, MS_TEXT_SIZE, "%" PRIu64 "ms", ms);
  else if (s < 60)
    snprintf(text, MS_TEXT_SIZE, "%" PRIu64 "s", s);
  else if (s % 60)
    snprintf(text, MS_TEXT_SIZE, "%" PRIu64 "m%" PRIu64 "s", s / 60, s % 60);
  else
    snprintf(text, MS_TEXT_SIZE, "%" PRIu64 "m", s / 60);
  return text;
}
