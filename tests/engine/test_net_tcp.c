// TCP probes, look-ups of names, and what is known of ports.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/port.h"
#include "net/tcp.h"
#include "net_turn.h"

static struct world {
  struct net_turn turn;
  struct tcp_probes *probes;
  int answers;
  char code[32], message[512];
} * world;

static void deliver(struct event *event, void *context) {
  (void)context;
  const struct connect_event *connect = (const struct connect_event *)event;
  world->answers++;
  snprintf(world->code, sizeof world->code, "%s", connect->code ? connect->code : "");
  snprintf(world->message, sizeof world->message, "%s", connect->message);
}

static int setup(void **state) {
  signal(SIGPIPE, SIG_IGN);
  world = *state = calloc(1, sizeof *world);
  net_turn_init(&world->turn, deliver, NULL);
  world->probes = tcp_probes_create(&world->turn.loop);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  tcp_probes_destroy(world->probes);
  net_turn_finish(&world->turn);
  free(world);
  return 0;
}

static bool answered(void *context) {
  (void)context;
  return world->answers != 0;
}

static void probe(const char *host, uint16_t port, unsigned timeout_ms) {
  world->answers = 0;
  tcp_probe(world->probes, host, port, timeout_ms);
  assert_true(net_turn_until(&world->turn, answered, NULL, 60000));
}

static int listen_on(const char *ip, uint16_t *port, bool reuse) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (reuse) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  inet_pton(AF_INET, ip, &address.sin_addr);
  if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 8)) {
    close(fd);
    return -1;
  }
  getsockname(fd, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  return fd;
}

static void a_listener_is_found_by_address_and_by_name(void **state) {
  (void)state;
  uint16_t port = 0;
  int fd = listen_on("127.0.0.1", &port, false);
  probe("127.0.0.1", port, 5000);
  assert_string_equal(world->code, "");
  probe("localhost", port, 5000);
  assert_string_equal(world->code, "");
  close(fd);
  probe("127.0.0.1", port, 5000);
  assert_string_equal(world->code, "refused");
  assert_string_equal(world->message, "connection refused");
  probe("localhost", port, 5000);
  assert_string_equal(world->code, "refused");
}

static void an_address_that_swallows_packets_ends_with_the_deadline(void **state) {
  (void)state;
  uint16_t port = 0;
  int fd = socket(AF_INET, SOCK_STREAM, 0); // its queue is full: further connects hang
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  bind(fd, (struct sockaddr *)&address, size);
  listen(fd, 0);
  getsockname(fd, (struct sockaddr *)&address, &size);
  port = ntohs(address.sin_port);
  int fillers[4];
  for (int i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fillers[i], (struct sockaddr *)&address, size);
  }
  uint64_t began = loop_now_ms(&world->turn.loop);
  probe("127.0.0.1", port, 200);
  assert_string_equal(world->code, "timeout");
  assert_string_equal(world->message, "no answer within 200ms");
  assert_true(loop_now_ms(&world->turn.loop) - began < 30000); // the kernel goes on for 2 minutes
  for (int i = 0; i < 4; i++) close(fillers[i]);
  close(fd);
}

static void a_name_that_is_none_is_said_to_be(void **state) {
  (void)state;
  probe("no.such.name.invalid", 80, 3000);
  assert_true(strcmp(world->code, "dns") == 0 || strcmp(world->code, "timeout") == 0);
  assert_non_null(strstr(world->message, "name 'no.such.name.invalid'"));
}

static void a_cancelled_probe_says_nothing(void **state) {
  (void)state;
  uint64_t a = tcp_probe(world->probes, "some.name.invalid", 80, 500);
  uint64_t b = tcp_probe(world->probes, "192.0.2.1", 80, 500);
  uint64_t c = tcp_probe(world->probes, "some.name.invalid", 81, 500); // shares the look-up of a
  assert_true(tcp_probes_cancel(world->probes, a));
  assert_true(tcp_probes_cancel(world->probes, c));
  tcp_probes_cancel(world->probes, b);
  assert_false(tcp_probes_cancel(world->probes, a));
  loop_forget(&world->turn.loop, b);
  net_turn_until(&world->turn, NULL, NULL, 100);
  assert_int_equal(world->answers, 0);
}

static void known_addresses_need_no_look_up(void **state) {
  (void)state;
  const struct {
    const char *host, *first;
    size_t count;
  } rows[] = {
      {"127.0.0.1", "127.0.0.1", 1},
      {"::1", "::1", 1},
      {"[::1]", "::1", 1},
      {"localhost", "127.0.0.1", 2},
      {"LocalHost", "127.0.0.1", 2},
      {"app.localhost", "127.0.0.1", 2},
      {"fe80::1%lo", "fe80::1", 1},
      {"example.org", NULL, 0},
      {"", NULL, 0},
      {"[::1", NULL, 0},
      {"1.2.3", NULL, 0},
      {"xlocalhost", NULL, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct addresses addresses;
    char text[INET6_ADDRSTRLEN];
    assert_int_equal(addresses_known(&addresses, rows[i].host), rows[i].first != NULL);
    assert_int_equal(addresses.count, rows[i].count);
    if (rows[i].first) assert_string_equal(address_text(&addresses.list[0], text), rows[i].first);
  }
}

static void durations_read_well(void **state) {
  (void)state;
  char text[MS_TEXT_SIZE];
  assert_string_equal(ms_text(5000, text), "5s");
  assert_string_equal(ms_text(1500, text), "1500ms");
  assert_string_equal(ms_text(90000, text), "1m30s");
  assert_string_equal(ms_text(120000, text), "2m");
}

struct waiter {
  struct dns_query query;
  int calls, error;
  size_t count;
};

static void on_found(struct dns_query *query, int error, const struct addresses *addresses) {
  struct waiter *waiter = list_entry(query, struct waiter, query);
  waiter->calls++;
  waiter->error = error;
  waiter->count = addresses->count;
}

static bool called(void *context) {
  return ((struct waiter *)context)->calls != 0;
}

static void look_ups_of_one_name_are_shared_and_may_be_dropped(void **state) {
  (void)state;
  struct dns *dns = dns_create(&world->turn.loop);
  struct waiter waiters[3] = {0};
  for (int i = 0; i < 3; i++) dns_ask(dns, &waiters[i].query, "127.0.0.1", on_found);
  assert_int_equal(waiters[0].calls, 0); // never from dns_ask
  dns_drop(&waiters[1].query);
  assert_true(net_turn_until(&world->turn, called, &waiters[2], 60000));
  assert_int_equal(waiters[0].calls, 1);
  assert_int_equal(waiters[1].calls, 0);
  assert_int_equal(waiters[2].error, 0);
  assert_int_equal(waiters[2].count, 1);
  char *text = dns_explain("x", EAI_NONAME);
  assert_string_equal(text, "name 'x' can't be resolved");
  free(text);
  struct waiter late[20] = {0}; // more names than threads
  char names[20][32];
  for (int i = 0; i < 20; i++) {
    snprintf(names[i], sizeof names[i], "127.0.0.%d", i + 1);
    dns_ask(dns, &late[i].query, names[i], on_found);
  }
  for (int i = 0; i < 10; i++) assert_true(net_turn_until(&world->turn, called, &late[i], 60000));
  for (int i = 10; i < 20; i++) dns_drop(&late[i].query);
  dns_destroy(dns); // with some still under way
}

static void a_free_port_is_free_and_a_taken_one_has_a_holder(void **state) {
  (void)state;
  uint16_t port = port_free();
  assert_true(port > 0);
  assert_int_equal(port_check(port), 0);
  struct port_holder holder;
  assert_false(port_find_holder(port, &holder));
  int fd = listen_on("127.0.0.1", &port, false);
  assert_true(fd >= 0);
  assert_int_equal(port_check(port), -EADDRINUSE);
  assert_true(port_find_holder(port, &holder));
  assert_int_equal(holder.pid, getpid());
  assert_int_equal(holder.uid, getuid());
  assert_non_null(strstr(holder.command, "test_net_tcp"));
  assert_true(strncmp(holder.name, "test_net_tcp", 12) == 0);
  assert_false(port_lingers(port));
  close(fd);
  assert_int_equal(port_check(port), 0);
}

static void a_port_taken_on_ipv6_or_another_address_counts_as_taken(void **state) {
  (void)state;
  uint16_t port = 0;
  int fd = listen_on("127.0.0.2", &port, false);
  assert_int_equal(port_check(port), -EADDRINUSE);
  close(fd);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  fd = socket(AF_INET6, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0) {
    struct port_holder holder;
    assert_int_equal(port_check(port), -EADDRINUSE);
    assert_true(port_find_holder(port, &holder));
  }
  close(fd);
}

static void a_lingering_port_is_free_but_said_to_linger(void **state) {
  (void)state;
  uint16_t port = 0;
  int fd = listen_on("127.0.0.1", &port, true);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int client = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
  int peer = accept(fd, NULL, NULL);
  close(peer); // the server closes first, so the state lingers on its port
  close(client);
  assert_false(port_lingers(port)); // somebody listens
  close(fd);
  assert_true(port_lingers(port));
  assert_int_equal(port_check(port), 0);
  assert_int_equal(listen_on("127.0.0.1", &port, false), -1); // that is why it matters
}

static void privileged_ports_are_told_apart(void **state) {
  (void)state;
  if (geteuid() == 0) skip();
  int result = port_check(1);
  assert_true(result == -EACCES || result == 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_listener_is_found_by_address_and_by_name),
      test(an_address_that_swallows_packets_ends_with_the_deadline),
      test(a_name_that_is_none_is_said_to_be),
      test(a_cancelled_probe_says_nothing),
      test(known_addresses_need_no_look_up),
      test(durations_read_well),
      test(look_ups_of_one_name_are_shared_and_may_be_dropped),
      test(a_free_port_is_free_and_a_taken_one_has_a_holder),
      test(a_port_taken_on_ipv6_or_another_address_counts_as_taken),
      test(a_lingering_port_is_free_but_said_to_linger),
      test(privileged_ports_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
