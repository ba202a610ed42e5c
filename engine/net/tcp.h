// Whether something accepts connections: TCP connects that are closed at once.
#pragma once
#include <stdint.h>

#include "loop/loop.h"

// EV_CONNECT. Connected when `code` is NULL.
struct connect_event {
  struct event event;
  const char *code; // static: "timeout", "refused", "dns", "other"
  char message[];   // for people
};

struct tcp_probes;

struct tcp_probes *tcp_probes_create(struct loop *loop);
void tcp_probes_destroy(struct tcp_probes *probes); // NULL is fine; runs no events

// Tries all addresses of the name at once; the first that connects decides. The deadline is for
// look-up and connect. The answer is always an event.
uint64_t tcp_probe(struct tcp_probes *probes, const char *host, uint16_t port, unsigned timeout_ms);
bool tcp_probes_cancel(struct tcp_probes *probes, uint64_t id); // false: no such probe
