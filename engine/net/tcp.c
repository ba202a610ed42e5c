#include "net/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/mem.h"
#include "net/dns.h"

struct tcp_probes {
  struct loop *loop;
  struct dns *dns; // NULL until a name must be looked up
  struct idmap probes;
};

struct attempt {
  uv_tcp_t tcp;
  uv_connect_t request;
  struct probe *probe;
};

struct probe {
  struct tcp_probes *probes;
  uint64_t id;
  uv_timer_t timer;
  struct dns_query query;
  char *host;
  uint16_t port;
  unsigned timeout_ms;
  bool over;        // has been answered or cancelled; waits for its handles to close
  bool resolved;    // the attempts have begun
  size_t handles;   // not closed yet
  size_t undecided; // attempts that are still out
  int error;        // of the last attempt that failed
  struct attempt attempts[ADDRESSES_MAX];
};

static void on_closed(uv_handle_t *handle) {
  struct probe *probe = handle->data;
  if (--probe->handles) return;
  free(probe->host);
  free(probe);
}

static void close_handle(uv_handle_t *handle) {
  if (!uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void end(struct probe *probe) {
  probe->over = true;
  idmap_remove(&probe->probes->probes, probe->id);
  dns_drop(&probe->query);
  close_handle((uv_handle_t *)&probe->timer);
  for (size_t i = 0; i < ADDRESSES_MAX; i++)
    if (probe->attempts[i].probe) close_handle((uv_handle_t *)&probe->attempts[i].tcp);
}

static void answer(struct probe *probe, const char *code, const char *message) {
  size_t size = strlen(message) + 1;
  struct connect_event *event = mem_new(sizeof *event + size);
  event->event = (struct event){.kind = EV_CONNECT, .id = probe->id};
  event->code = code;
  memcpy(event->message, message, size);
  loop_push(probe->probes->loop, &event->event);
  end(probe);
}

static void fail(struct probe *probe, int error) {
  if (error == UV_ECONNREFUSED)
    answer(probe, "refused", "connection refused");
  else
    answer(probe, "other", strerror(-error));
}

static void on_deadline(uv_timer_t *timer) {
  struct probe *probe = timer->data;
  char text[512], ms[MS_TEXT_SIZE];
  ms_text(probe->timeout_ms, ms);
  if (probe->resolved)
    snprintf(text, sizeof text, "no answer within %s", ms);
  else
    snprintf(text, sizeof text, "name '%.255s' not resolved within %s", probe->host, ms);
  answer(probe, "timeout", text);
}

// A connect to a port of the ephemeral range nobody listens on can be given that very port as its
// own, and then connects to itself.
static bool met_itself(const uv_tcp_t *tcp) {
  struct sockaddr_storage own = {0}, peer = {0};
  int own_size = sizeof own, peer_size = sizeof peer;
  return uv_tcp_getsockname(tcp, (struct sockaddr *)&own, &own_size) == 0 &&
         uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &peer_size) == 0 &&
         own_size == peer_size && memcmp(&own, &peer, (size_t)own_size) == 0;
}

static void on_connect(uv_connect_t *request, int status) {
  struct attempt *attempt = list_entry(request, struct attempt, request);
  struct probe *probe = attempt->probe;
  if (probe->over) return;
  if (status == 0 && met_itself(&attempt->tcp)) status = UV_ECONNREFUSED;
  if (status == 0) {
    answer(probe, NULL, "");
    return;
  }
  // "refused" says more than "unreachable" when the addresses disagree
  if (!probe->error || status == UV_ECONNREFUSED) probe->error = status;
  if (--probe->undecided == 0) fail(probe, probe->error);
}

static void attempt_connect(struct probe *probe, struct attempt *attempt, union address address) {
  address_set_port(&address, probe->port);
  attempt->probe = probe;
  int error = uv_tcp_init(&probe->probes->loop->uv, &attempt->tcp);
  attempt->tcp.data = probe;
  probe->handles++;
  if (!error) error = uv_tcp_connect(&attempt->request, &attempt->tcp, &address.any, on_connect);
  if (error)
    probe->error = error;
  else
    probe->undecided++;
}

static void connect_all(struct probe *probe, const struct addresses *addresses) {
  probe->resolved = true;
  for (size_t i = 0; i < addresses->count; i++)
    attempt_connect(probe, &probe->attempts[i], addresses->list[i]);
  if (!probe->undecided) fail(probe, probe->error);
}

static void on_resolved(struct dns_query *query, int error, const struct addresses *addresses) {
  struct probe *probe = list_entry(query, struct probe, query);
  if (!error) {
    connect_all(probe, addresses);
    return;
  }
  char *message = dns_explain(probe->host, error);
  answer(probe, "dns", message ? message : "the name can't be resolved");
  free(message);
}

uint64_t tcp_probe(struct tcp_probes *probes, const char *host, uint16_t port,
                   unsigned timeout_ms) {
  struct probe *probe = mem_new(sizeof *probe);
  *probe = (struct probe){.probes = probes,
                          .id = loop_new_id(probes->loop),
                          .host = mem_strdup(host),
                          .port = port,
                          .timeout_ms = timeout_ms,
                          .handles = 1};
  uint64_t id = probe->id;
  idmap_set(&probes->probes, id, probe);
  uv_timer_init(&probes->loop->uv, &probe->timer);
  probe->timer.data = probe;
  uv_update_time(&probes->loop->uv);
  uv_timer_start(&probe->timer, on_deadline, timeout_ms, 0);
  struct addresses addresses;
  if (addresses_known(&addresses, host)) {
    connect_all(probe, &addresses);
  } else {
    if (!probes->dns) probes->dns = dns_create(probes->loop);
    dns_ask(probes->dns, &probe->query, host, on_resolved);
  }
  return id;
}

bool tcp_probes_cancel(struct tcp_probes *probes, uint64_t id) {
  struct probe *probe = idmap_get(&probes->probes, id);
  if (probe) end(probe);
  return probe != NULL;
}

struct tcp_probes *tcp_probes_create(struct loop *loop) {
  struct tcp_probes *probes = mem_new(sizeof *probes);
  probes->loop = loop;
  return probes;
}

void tcp_probes_destroy(struct tcp_probes *probes) {
  if (!probes) return;
  size_t at = 0;
  void *probe;
  while (idmap_next(&probes->probes, &at, NULL, &probe)) end(probe);
  idmap_finish(&probes->probes);
  dns_destroy(probes->dns);
  free(probes);
}
