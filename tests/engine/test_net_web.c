// Servers that scripts open: TCP, limits of their own, clients that are slow, many, rude or gone.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "net/control.h"
#include "net/http_reader.h"
#include "net/tcp_listen.h"
#include "net_turn.h"

enum { MANY = 1000 };

struct world {
  struct net_turn turn;
  struct control *control;
  struct http_server *server;
  uint64_t listener;
  uint16_t port;
  int requests, gone, drains;
  uint64_t last_request;
  char remote[HTTP_REMOTE_SIZE];
};

static struct world *world;

static void on_request(const struct http_request_event *event) {
  const char *path = event->message.path;
  world->requests++;
  world->last_request = event->request;
  memcpy(world->remote, event->remote, sizeof world->remote);
  assert_int_equal(event->event.id, world->listener);
  assert_int_equal(event->pid, 0);
  if (strcmp(path, "/hold") == 0) return;
  if (strcmp(path, "/none") == 0) {
    http_server_respond(world->server, event->request, 204, NULL, 0, "", 0);
  } else if (strcmp(path, "/stream") == 0) {
    http_server_stream(world->server, event->request, 200, NULL, 0);
  } else {
    char body[64];
    int size = snprintf(body, sizeof body, "<%s %zu>", path, event->message.body_size);
    http_server_respond(world->server, event->request, 200, NULL, 0, body, (size_t)size);
  }
}

static void deliver(struct event *event, void *context) {
  (void)context;
  if (event->kind == EV_REQUEST) on_request((struct http_request_event *)event);
  if (event->kind == EV_GONE) world->gone++;
  if (event->kind == EV_DRAIN) world->drains++;
}

static const struct http_limits usual = {.head_ms = 10000,
                                         .body_ms = 10000,
                                         .idle_ms = 10000,
                                         .take_ms = 10000,
                                         .body_bytes = HTTP_REQUEST_BODY_MAX,
                                         .clients = 16};

static void serve(struct http_limits limits) {
  int fd = tcp_listen("127.0.0.1", 0, &world->port);
  assert_true(fd >= 0);
  assert_int_equal(http_server_serve(world->server, fd, NULL, &limits, &world->listener), 0);
}

static int setup(void **state) {
  signal(SIGPIPE, SIG_IGN);
  world = calloc(1, sizeof *world);
  net_turn_init(&world->turn, deliver, NULL);
  world->control = control_create(&world->turn.loop);
  world->server = control_server(world->control);
  *state = world;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  control_destroy(world->control);
  net_turn_finish(&world->turn);
  free(world);
  return 0;
}

// ---- clients

struct client {
  int fd;
  bool ended, reset;
  size_t size, heard; // kept, and in all
  char text[16384];
};

static struct client *client_open(void) {
  struct client *client = calloc(1, sizeof *client);
  struct addresses known;
  addresses_known(&known, "127.0.0.1");
  address_set_port(&known.list[0], world->port);
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(client->fd, &known.list[0].any, sizeof known.list[0].ipv4), 0);
  return client;
}

static void client_close(struct client *client) {
  if (client->fd >= 0) close(client->fd);
  free(client);
}

static void say(struct client *client, const char *text) {
  assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void hear_up_to(struct client *client, size_t most) {
  char bytes[65536];
  ssize_t got = recv(client->fd, bytes, most < sizeof bytes ? most : sizeof bytes, MSG_DONTWAIT);
  if (got == 0) client->ended = true;
  if (got < 0 && errno != EAGAIN) client->ended = client->reset = true;
  if (got <= 0) return;
  size_t room = sizeof client->text - 1 - client->size;
  size_t kept = (size_t)got < room ? (size_t)got : room;
  memcpy(client->text + client->size, bytes, kept);
  client->size += kept;
  client->heard += (size_t)got;
}

struct expectation {
  struct client *client;
  const char *text;
};

static bool heard(void *context) {
  struct expectation *expected = context;
  hear_up_to(expected->client, SIZE_MAX);
  return strstr(expected->client->text, expected->text) != NULL;
}

static void expect(struct client *client, const char *text) {
  struct expectation expected = {client, text};
  if (!net_turn_until(&world->turn, heard, &expected, 60000))
    fail_msg("expected '%s', heard '%.2000s'", text, client->text);
}

static bool has_ended(void *context) {
  struct client *client = context;
  hear_up_to(client, SIZE_MAX);
  return client->ended;
}

static void expect_end(struct client *client) {
  if (!net_turn_until(&world->turn, has_ended, client, 60000))
    fail_msg("not ended, heard '%.2000s'", client->text);
}

static bool reached(void *context) {
  return *(int *)context != 0;
}

#define until(counter) assert_true(net_turn_until(&world->turn, reached, &(counter), 60000))

static void turn_for(unsigned ms) {
  net_turn_until(&world->turn, NULL, NULL, ms);
}

// ---- tests

static void a_request_over_tcp_is_answered_and_says_from_where(void **state) {
  (void)state;
  serve(usual);
  struct client *client = client_open();
  say(client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
  expect(client, "</a 0>");
  expect(client, "</b 2>");
  assert_memory_equal(world->remote, "127.0.0.1:", 10);
  assert_false(client->ended);
  client_close(client);
}

static void listening_is_refused_with_the_reason(void **state) {
  (void)state;
  serve(usual);
  uint16_t bound;
  assert_int_equal(tcp_listen("127.0.0.1", world->port, &bound), -EADDRINUSE);
  assert_int_equal(tcp_listen("a-name.test", 0, &bound), -EINVAL);
  assert_int_equal(tcp_listen("192.0.2.1", 0, &bound), -EADDRNOTAVAIL);
  int fd = tcp_listen("localhost", 0, &bound);
  assert_true(fd >= 0 && bound > 0 && bound != world->port);
  close(fd);
}

static void a_slow_head_is_answered_408(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.head_ms = 60;
  serve(limits);
  struct client *client = client_open();
  const char *text = "GET / HTTP/1.1\r\nX: loris";
  for (const char *at = text; *at && !client->ended; at++) {
    send(client->fd, at, 1, MSG_NOSIGNAL);
    turn_for(5);
    hear_up_to(client, SIZE_MAX);
  }
  expect(client, "HTTP/1.1 408 ");
  expect(client, "the request wasn't complete within 60ms");
  expect_end(client);
  assert_int_equal(world->requests, 0);
  client_close(client);
}

static void a_refusal_is_worded_as_its_owner_wants(void **state) {
  (void)state;
  static const char *const heads[] = {"GET /%00 HTTP/1.1\r\n\r\n", "HEAD /%00 HTTP/1.1\r\n\r\n"};
  static const char *const types[] = {"text/plain; charset=utf-8", "application/json"};
  static const char *const body[] = {"the path is malformed\n",
                                     "{\"code\":\"EINVAL\",\"error\":\"the path is malformed\"}\n"};
  for (int json = 0; json < 2; json++) {
    struct http_limits limits = usual;
    limits.json_refusals = json;
    serve(limits);
    for (int head = 0; head < 2; head++) {
      struct client *client = client_open();
      say(client, heads[head]);
      expect_end(client);
      char whole[512];
      snprintf(whole, sizeof whole,
               "HTTP/1.1 400 Bad Request\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
               "Connection: close\r\n\r\n%s",
               types[json], strlen(body[json]), head ? "" : body[json]);
      assert_string_equal(client->text, whole);
      client_close(client);
    }
  }
}

static void a_slow_body_is_answered_408(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.body_ms = 60;
  serve(limits);
  struct client *client = client_open();
  say(client, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n1234");
  expect(client, "the request's body wasn't complete within 60ms");
  expect_end(client);
  client_close(client);
}

static void an_idle_connection_is_closed_without_a_word(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.idle_ms = 60;
  serve(limits);
  struct client *fresh = client_open(), *used = client_open();
  say(used, "GET /a HTTP/1.1\r\n\r\n");
  expect(used, "</a 0>");
  size_t size = used->size;
  expect_end(fresh);
  expect_end(used);
  assert_int_equal(fresh->size, 0);
  assert_int_equal(used->size, size);
  client_close(fresh);
  client_close(used);
}

static void a_handler_may_take_longer_than_any_limit(void **state) {
  (void)state;
  struct http_limits limits = {
      .head_ms = 20, .body_ms = 20, .idle_ms = 20, .take_ms = 20, .clients = 4};
  serve(limits);
  struct client *client = client_open();
  say(client, "GET /hold HTTP/1.1\r\n\r\n");
  until(world->requests);
  turn_for(80);
  assert_int_equal(http_server_respond(world->server, world->last_request, 200, NULL, 0, "late", 4),
                   0);
  expect(client, "late");
  client_close(client);
}

static void who_takes_nothing_is_cut_off_and_who_takes_slowly_is_not(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.take_ms = 1000;
  serve(limits);
  char *large = calloc(1, 8 << 20);
  struct client *deaf = client_open(), *slow = client_open();
  say(slow, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  assert_true(http_server_write(world->server, world->last_request, large, 8 << 20) > 0);
  world->requests = 0;
  say(deaf, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  assert_true(http_server_write(world->server, world->last_request, large, 8 << 20) > 0);
  uint64_t began = loop_now_ms(&world->turn.loop), took = 0;
  while (took < 2500 || (!world->gone && took < 60000)) { // twice the limit and more
    turn_for(10);
    hear_up_to(slow, 16384);
    took = loop_now_ms(&world->turn.loop) - began;
  }
  assert_int_equal(world->gone, 1);
  assert_false(slow->ended);
  free(large);
  client_close(deaf);
  client_close(slow);
}

static void those_beyond_the_limit_are_told_and_the_others_served(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.clients = 4;
  serve(limits);
  struct client *clients[6];
  for (int i = 0; i < 4; i++) {
    clients[i] = client_open();
    say(clients[i], "GET /in HTTP/1.1\r\n\r\n");
    expect(clients[i], "</in 0>");
  }
  for (int i = 4; i < 6; i++) {
    clients[i] = client_open();
    say(clients[i], "GET /out HTTP/1.1\r\n\r\n");
    expect(clients[i], "HTTP/1.1 503 ");
    expect(clients[i], "too many connections at once");
    expect_end(clients[i]);
    assert_false(clients[i]->reset);
    client_close(clients[i]);
  }
  assert_int_equal(world->requests, 4);
  client_close(clients[0]);
  turn_for(10);
  struct client *next = client_open();
  say(next, "GET /next HTTP/1.1\r\n\r\n");
  expect(next, "</next 0>");
  client_close(next);
  for (int i = 1; i < 4; i++) client_close(clients[i]);
}

static void those_that_are_idle_may_give_way_instead(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.clients = 4;
  limits.give_way = true;
  serve(limits);
  struct client *clients[8];
  for (int i = 0; i < 8; i++) {
    clients[i] = client_open();
    say(clients[i], i ? "GET /in HTTP/1.1\r\n\r\n" : "GET /hold HTTP/1.1\r\n\r\n");
    if (i)
      expect(clients[i], "</in 0>");
    else
      until(world->requests);
  }
  assert_int_equal(world->gone, 0);
  for (int i = 1; i < 5; i++) expect_end(clients[i]);
  for (int i = 0; i < 8; i++) client_close(clients[i]);
}

static void a_thousand_connections_at_once_are_served(void **state) {
  (void)state;
  struct rlimit limit, more;
  getrlimit(RLIMIT_NOFILE, &limit);
  more = (struct rlimit){limit.rlim_max, limit.rlim_max};
  if (limit.rlim_max < 2 * MANY + 64) skip();
  setrlimit(RLIMIT_NOFILE, &more);
  struct http_limits limits = usual;
  limits.clients = MANY;
  serve(limits);
  static struct client *clients[MANY];
  for (int i = 0; i < MANY; i++) {
    clients[i] = client_open();
    say(clients[i], "GET /many HTTP/1.1\r\n\r\n");
    if (i % 100 == 0) turn_for(1);
  }
  for (int i = 0; i < MANY; i++) expect(clients[i], "</many 0>");
  assert_int_equal(world->requests, MANY);
  for (int i = 0; i < MANY; i++) client_close(clients[i]);
  turn_for(20);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// It goes on sending while it is refused; the answer reaches it all the same.
static void a_body_too_large_is_answered_413_and_read_away(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.body_bytes = 1000;
  serve(limits);
  const char *heads[] = {"POST / HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n",
                         "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3d0900\r\n"};
  char *block = calloc(1, 65536);
  for (int i = 0; i < 2; i++) {
    struct client *client = client_open();
    say(client, heads[i]);
    size_t sent = 0;
    while (sent < 4000000 && !client->reset) {
      ssize_t n = send(client->fd, block, 65536, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) sent += (size_t)n;
      if (n < 0 && errno != EAGAIN) fail_msg("cut off after %zu bytes", sent);
      turn_for(1);
    }
    expect(client, "HTTP/1.1 413 ");
    shutdown(client->fd, SHUT_WR);
    expect_end(client);
    assert_false(client->reset);
    client_close(client);
  }
  free(block);
  assert_int_equal(world->requests, 0);
}

static void expect_100_continue_is_answered_before_the_body(void **state) {
  (void)state;
  struct http_limits limits = usual;
  limits.body_bytes = 10;
  serve(limits);
  struct client *client = client_open();
  say(client, "POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
  say(client, "abc");
  expect(client, "</x 3>");
  client_close(client);
  client = client_open();
  say(client, "POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  expect(client, "HTTP/1.1 413 ");
  assert_null(strstr(client->text, "100 Continue"));
  client_close(client);
}

static void a_client_that_leaves_a_stream_is_noticed(void **state) {
  (void)state;
  serve(usual);
  struct client *client = client_open();
  say(client, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  expect(client, "200 OK");
  close(client->fd);
  client->fd = -1;
  until(world->gone);
  assert_int_equal(http_server_write(world->server, world->last_request, "x", 1), -ENOENT);
  client_close(client);
}

static void a_half_closed_client_still_gets_a_whole_answer(void **state) {
  (void)state;
  serve(usual);
  struct client *client = client_open();
  say(client, "GET /hold HTTP/1.1\r\n\r\n");
  shutdown(client->fd, SHUT_WR);
  until(world->requests);
  turn_for(10);
  assert_int_equal(world->gone, 0);
  http_server_respond(world->server, world->last_request, 200, NULL, 0, "whole", 5);
  expect(client, "whole");
  expect_end(client);
  client_close(client);
}

static void framing_fits_status_and_version(void **state) {
  (void)state;
  serve(usual);
  struct client *client = client_open();
  say(client, "GET /none HTTP/1.1\r\n\r\nGET /then HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  expect(client, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n");
  expect(client, "\r\nConnection: keep-alive\r\n");
  say(client, "GET /last HTTP/1.0\r\n\r\n");
  expect(client, "</last 0>");
  expect_end(client);
  client_close(client);
}

// Idle ones and streams end, what is queued arrives, nothing is told, the address is free.
static void a_cancelled_listener_takes_its_connections_along(void **state) {
  (void)state;
  serve(usual);
  struct client *idle = client_open(), *stream = client_open(), *reader = client_open();
  say(stream, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  world->requests = 0;
  say(reader, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  size_t size = 4 << 20;
  char *large = calloc(1, size);
  http_server_write(world->server, world->last_request, large, size);
  assert_true(http_server_cancel(world->server, world->listener));
  assert_false(http_server_cancel(world->server, world->listener));
  uint16_t bound;
  int fd = tcp_listen("127.0.0.1", world->port, &bound);
  assert_true(fd >= 0);
  close(fd);
  expect_end(idle);
  expect_end(stream);
  expect_end(reader);
  assert_true(reader->heard > size);
  assert_int_equal(http_server_write(world->server, world->last_request, "x", 1), -ENOENT);
  assert_int_equal(world->gone, 0);
  free(large);
  client_close(idle);
  client_close(stream);
  client_close(reader);
}

static void a_request_that_is_not_delivered_yet_goes_with_its_listener(void **state) {
  (void)state;
  serve(usual);
  struct client *client = client_open();
  say(client, "GET /a HTTP/1.1\r\n\r\n");
  // one turn of libuv alone: the event is queued, not delivered
  for (int i = 0; i < 100 && !world->turn.loop.queue.first; i++)
    uv_run(&world->turn.loop.uv, UV_RUN_NOWAIT);
  assert_non_null(world->turn.loop.queue.first);
  http_server_cancel(world->server, world->listener);
  turn_for(20);
  assert_int_equal(world->requests, 0);
  assert_int_equal(world->gone, 0);
  client_close(client);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_request_over_tcp_is_answered_and_says_from_where),
      test(listening_is_refused_with_the_reason),
      test(a_slow_head_is_answered_408),
      test(a_refusal_is_worded_as_its_owner_wants),
      test(a_slow_body_is_answered_408),
      test(an_idle_connection_is_closed_without_a_word),
      test(a_handler_may_take_longer_than_any_limit),
      test(who_takes_nothing_is_cut_off_and_who_takes_slowly_is_not),
      test(those_beyond_the_limit_are_told_and_the_others_served),
      test(those_that_are_idle_may_give_way_instead),
      test(a_thousand_connections_at_once_are_served),
      test(a_body_too_large_is_answered_413_and_read_away),
      test(expect_100_continue_is_answered_before_the_body),
      test(a_client_that_leaves_a_stream_is_noticed),
      test(a_half_closed_client_still_gets_a_whole_answer),
      test(framing_fits_status_and_version),
      test(a_cancelled_listener_takes_its_connections_along),
      test(a_request_that_is_not_delivered_yet_goes_with_its_listener),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
