// The control protocol, both ends: raw clients that misbehave, and calls through a link.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/control.h"
#include "net/unix_socket.h"
#include "net_turn.h"

enum { LOG_MAX = 64 };

// What one test has: a control object, where it listens, and the events that came.
struct world {
  struct net_turn turn;
  struct control *control;
  struct http_server *server;
  struct http_links *links;
  char dir[64], path[96];
  int requests, gone, drains, fronts_gone;
  uint64_t last_request, stream, front_id;
  int64_t queued;
  char said[4096]; // what the requests were
  // client side
  int answers, ends, lost;
  int status;
  char body[8192];
  size_t pieces;
};

static struct world *world;

static void answer(uint64_t id, const struct http_message *message) {
  world->last_request = id;
  if (strcmp(message->path, "/hold") == 0) return;
  if (strcmp(message->path, "/stream") == 0) {
    struct http_pair header = {"Content-Type", "application/x-ndjson"};
    world->stream = id;
    assert_int_equal(http_server_stream(world->server, id, 200, &header, 1), 0);
    return;
  }
  char body[256];
  int size =
      snprintf(body, sizeof body, "%s %s %zu", message->method, message->path, message->body_size);
  http_server_respond(world->server, id, 200, NULL, 0, body, (size_t)size);
}

static void on_request(const struct http_request_event *event) {
  const struct http_message *message = &event->message;
  world->requests++;
  size_t at = strlen(world->said);
  at += (size_t)snprintf(world->said + at, sizeof world->said - at, "%s %s", message->method,
                         message->path);
  for (size_t i = 0; i < message->query_count && at < sizeof world->said; i++)
    at += (size_t)snprintf(world->said + at, sizeof world->said - at, " %s=%s",
                           message->query[i].name, message->query[i].value);
  if (at < sizeof world->said)
    snprintf(world->said + at, sizeof world->said - at, "%s;", event->front ? " front" : "");
  assert_int_equal(event->pid, getpid());
  answer(event->request, message);
}

static void on_response(const struct http_response_event *event) {
  size_t at = strlen(world->body);
  if (event->part == HTTP_RESPONSE_PIECE) {
    world->pieces += event->size;
    snprintf(world->body + at, sizeof world->body - at, "%.*s", (int)event->size, event->bytes);
    return;
  }
  if (event->part != HTTP_RESPONSE_END) world->status = event->message.status;
  if (event->part == HTTP_RESPONSE_WHOLE && event->message.body)
    snprintf(world->body + at, sizeof world->body - at, "[%s]", event->message.body);
  if (event->part == HTTP_RESPONSE_WHOLE) world->answers++;
  if (event->part == HTTP_RESPONSE_END) world->ends++;
}

static void deliver(struct event *event, void *context) {
  (void)context;
  if (event->kind == EV_REQUEST) on_request((struct http_request_event *)event);
  if (event->kind == EV_RESPONSE) on_response((struct http_response_event *)event);
  if (event->kind == EV_DRAIN) world->drains++;
  if (event->kind == EV_GONE && event->id == world->front_id) world->fronts_gone++;
  if (event->kind == EV_GONE && event->id != world->front_id) world->gone++;
}

static int setup(void **state) {
  signal(SIGPIPE, SIG_IGN);
  world = calloc(1, sizeof *world);
  strcpy(world->dir, "/tmp/pactlua-test-XXXXXX");
  assert_non_null(mkdtemp(world->dir));
  snprintf(world->path, sizeof world->path, "%s/control.sock", world->dir);
  net_turn_init(&world->turn, deliver, NULL);
  world->control = control_create(&world->turn.loop);
  world->server = control_server(world->control);
  world->links = control_links(world->control);
  uint64_t id;
  assert_int_equal(http_server_listen(world->server, world->path, &id), 0);
  *state = world;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  control_destroy(world->control);
  net_turn_finish(&world->turn);
  assert_int_equal(access(world->path, F_OK), -1);
  assert_int_equal(rmdir(world->dir), 0);
  free(world);
  return 0;
}

// ---- a raw client

struct raw {
  int fd;
  size_t size;
  bool ended;
  bool deaf;
  char text[65536];
};

static struct raw *raw_open(void) {
  struct raw *raw = calloc(1, sizeof *raw);
  raw->fd = unix_socket_connect(world->path);
  assert_true(raw->fd >= 0);
  return raw;
}

static void raw_close(struct raw *raw) {
  close(raw->fd);
  free(raw);
}

static void raw_say(struct raw *raw, const char *text) {
  assert_int_equal(send(raw->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void raw_hear(struct raw *raw) {
  for (;;) {
    size_t room = sizeof raw->text - 1 - raw->size;
    char scratch[4096];
    ssize_t got =
        read(raw->fd, room ? raw->text + raw->size : scratch, room ? room : sizeof scratch);
    if (got == 0 || (got < 0 && errno != EAGAIN)) raw->ended = true;
    if (got <= 0) return;
    if (room) raw->size += (size_t)got;
    raw->text[raw->size] = '\0';
  }
}

static size_t count(const char *text, const char *what) {
  size_t n = 0;
  for (; (text = strstr(text, what)); text++) n++;
  return n;
}

struct expectation {
  struct raw *raw;
  const char *text;
  size_t times;
};

static bool heard(void *context) {
  struct expectation *expected = context;
  raw_hear(expected->raw);
  return count(expected->raw->text, expected->text) >= expected->times;
}

static void expect_text(struct raw *raw, const char *text, size_t times) {
  struct expectation expected = {raw, text, times};
  if (!net_turn_until(&world->turn, heard, &expected, 60000))
    fail_msg("expected %zu × '%s', heard '%.2000s'", times, text, raw->text);
}

static bool has_ended(void *context) {
  struct raw *raw = context;
  raw_hear(raw);
  return raw->ended;
}

static bool reached(void *context) {
  return *(int *)context != 0;
}

#define until(counter) assert_true(net_turn_until(&world->turn, reached, &(counter), 60000))

// ---- tests

static void a_request_is_answered_and_the_connection_kept(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /a?x=1&y=%C3%A4+b&z HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_text(raw, "GET /a 0", 1);
  raw_say(raw, "POST /b%20c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  expect_text(raw, "POST /b c 3", 1);
  assert_string_equal(world->said, "GET /a x=1 y=ä b z=;POST /b c;");
  assert_false(raw->ended);
  raw_close(raw);
}

static void pipelined_requests_are_answered_in_order(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /hold HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nPOST /3 HTTP/1.1\r\n"
               "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /4 HTTP/1.1\r\n\r\n");
  until(world->requests);
  assert_int_equal(world->requests, 1); // the others wait for the first answer
  assert_int_equal(http_server_respond(world->server, world->last_request, 200, NULL, 0, "one", 3),
                   0);
  expect_text(raw, "GET /4 0", 1);
  const char *order[] = {"one", "GET /2 0", "POST /3 2", "GET /4 0"};
  const char *at = raw->text;
  for (size_t i = 0; i < 4; i++) {
    at = strstr(at, order[i]);
    assert_non_null(at);
  }
  raw_close(raw);
}

static void a_request_may_come_byte_by_byte(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  const char *text = "POST /slow?a=b HTTP/1.1\r\nX-Y: z\r\nContent-Length: 2\r\n\r\nhi";
  for (const char *at = text; *at; at++) {
    raw_say(raw, (char[]){*at, 0});
    net_turn_until(&world->turn, NULL, NULL, 1);
  }
  expect_text(raw, "POST /slow 2", 1);
  raw_close(raw);
}

static void a_flood_of_pipelined_requests_is_bounded(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  char block[20 * 64 + 1] = "";
  for (int i = 0; i < 64; i++) strcat(block, "GET /f HTTP/1.1\r\n\r\n");
  // It never reads, so in the end it can't send any more.
  size_t sent = 0, size = strlen(block);
  for (int stuck = 0; stuck < 400 && sent < 3 * 1024 * 1024;) {
    ssize_t n = send(raw->fd, block + sent % size, size - sent % size, MSG_NOSIGNAL | MSG_DONTWAIT);
    stuck = n > 0 ? 0 : stuck + 1;
    if (n > 0) sent += (size_t)n;
    if (n < 0) net_turn_until(&world->turn, NULL, NULL, 1);
  }
  assert_true(sent < 2 * 1024 * 1024);
  assert_int_equal(world->gone, 0);
  raw_close(raw);
}

// Who asks the control protocol gets JSON, whoever refuses; its length is told.
static bool is_refusal(const char *text) {
  const char *size = strstr(text, "\r\nContent-Length: "), *body = strstr(text, "\r\n\r\n");
  return strstr(text, "\r\nContent-Type: application/json\r\n") && size && body &&
         strtoul(size + 18, NULL, 10) == strlen(body + 4) &&
         strncmp(body + 4, "{\"code\":\"", 9) == 0 && strstr(body, "\",\"error\":\"") &&
         strcmp(body + strlen(body) - 3, "\"}\n") == 0;
}

static void garbage_is_answered_400_and_closed(void **state) {
  (void)state;
  const struct {
    const char *text, *status;
  } rows[] = {
      {"hello\r\n\r\n", "400 "},
      {"GET / HTTP/9.9\r\n\r\n", "505 "},
      {"GET x HTTP/1.1\r\n\r\n", "400 "},
      {"GET *x HTTP/1.1\r\n\r\n", "400 "},
      {"GET /%00 HTTP/1.1\r\n\r\n", "400 "},
      {"GET /%ff HTTP/1.1\r\n\r\n", "400 "},
      {"GET /%c0%80 HTTP/1.1\r\n\r\n", "400 "},
      {"GET /%zz HTTP/1.1\r\n\r\n", "400 "},
      {"GET /?a=%f HTTP/1.1\r\n\r\n", "400 "},
      {"GET /?a=%0a HTTP/1.1\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", "413 "},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 "},
      {"CONNECT a:1 HTTP/1.1\r\n\r\n", "501 "},
      {"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400 "},
      {"GET / HTTP/1.1\r\nX : y\r\n\r\n", "400 "},
      {"GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n", "400 "},
      {"GET http://u:p@a/x HTTP/1.1\r\nHost: a\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400 "},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501 "},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "501 "},
      {"\x16\x03\x01\x02\x00\x01", "400 "},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct raw *raw = raw_open();
    raw_say(raw, rows[i].text);
    if (!net_turn_until(&world->turn, has_ended, raw, 60000))
      fail_msg("not closed: %s", rows[i].text);
    if (!strstr(raw->text, rows[i].status)) fail_msg("%s: got %s", rows[i].text, raw->text);
    if (!is_refusal(raw->text)) fail_msg("%s: got %s", rows[i].text, raw->text);
    raw_close(raw);
  }
  assert_int_equal(world->requests, 0);
}

static void a_target_may_name_the_host_that_is_asked(void **state) {
  (void)state;
  const char *rows[] = {"GET http://A:1/x?y HTTP/1.1\r\nHost: a:1\r\n\r\n",
                        "GET http://a/x HTTP/1.1\r\n\r\n", "GET /x HTTP/1.1\r\nHost: b\r\n\r\n"};
  struct raw *raw = raw_open();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    raw_say(raw, rows[i]);
    expect_text(raw, "GET /x 0", i + 1);
  }
  raw_close(raw);
}

static void a_request_that_is_cut_off_is_answered_400(void **state) {
  (void)state;
  const char *rows[] = {"GET /x HT", "POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
                        "GET /x HTTP/1.1\r\n\r\nGET /y", ""};
  for (int i = 0; i < 4; i++) {
    struct raw *raw = raw_open();
    raw_say(raw, rows[i]);
    shutdown(raw->fd, SHUT_WR);
    assert_true(net_turn_until(&world->turn, has_ended, raw, 5000));
    const char *refusal = strstr(raw->text, "HTTP/1.1 400 ");
    assert_int_equal(refusal != NULL, i < 3);
    if (refusal) assert_true(is_refusal(refusal));
    assert_int_equal(strstr(raw->text, "GET /x 0") != NULL, i == 2);
    raw_close(raw);
  }
}

static void limits_have_their_own_answers(void **state) {
  (void)state;
  char *big = malloc(200 * 1024);
  const char *expected[] = {"414 ", "431 ", "431 ", "413 "};
  for (int i = 0; i < 4; i++) {
    struct raw *raw = raw_open();
    if (i == 0) {
      sprintf(big, "GET /%09000d HTTP/1.1\r\n\r\n", 1);
    } else if (i == 1) {
      sprintf(big, "GET / HTTP/1.1\r\nX: %070000d\r\n\r\n", 1);
    } else if (i == 2) {
      strcpy(big, "GET / HTTP/1.1\r\n");
      for (int n = 0; n < 300; n++) strcat(big, "a: b\r\n");
      strcat(big, "\r\n");
    } else {
      strcpy(big, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n");
    }
    raw_say(raw, big);
    if (i == 3) { // the body flows until it is too much
      memset(big, 'x', 200 * 1024);
      for (int n = 0; n < 2000 && !raw->ended; n++) {
        send(raw->fd, big, 64 * 1024, MSG_NOSIGNAL | MSG_DONTWAIT);
        net_turn_until(&world->turn, has_ended, raw, 2);
      }
    }
    assert_true(net_turn_until(&world->turn, has_ended, raw, 60000));
    if (!strstr(raw->text, expected[i])) fail_msg("%d: got %s", i, raw->text);
    assert_true(is_refusal(raw->text));
    assert_non_null(strstr(raw->text, "{\"code\":\"too_large\","));
    raw_close(raw);
  }
  free(big);
}

static void the_largest_body_arrives_whole(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "POST /big HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1048576\r\n\r\n");
  expect_text(raw, "100 Continue", 1);
  char block[4096];
  memset(block, 'x', sizeof block);
  for (size_t sent = 0; sent < 1048576;) {
    ssize_t n = send(raw->fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      sent += (size_t)n;
    else
      net_turn_until(&world->turn, NULL, NULL, 1);
  }
  expect_text(raw, "POST /big 1048576", 1);
  raw_close(raw);
}

static void half_a_request_and_an_idle_client_are_treated_apart(void **state) {
  (void)state;
  struct raw *idle = raw_open(), *half = raw_open();
  raw_say(idle, "GET /x HTTP/1.1\r\n\r\n");
  expect_text(idle, "GET /x 0", 1);
  assert_int_equal(uv_backend_timeout(&world->turn.loop.uv), -1); // nothing ticks for idle ones
  raw_say(half, "GET /half HTTP/1.1\r\nHo");
  assert_false(net_turn_until(&world->turn, has_ended, half, 300));
  int wait_ms = uv_backend_timeout(&world->turn.loop.uv);
  assert_true(wait_ms > 5000 && wait_ms <= HTTP_SERVER_WHOLE_MS);
  assert_true(net_turn_until(&world->turn, has_ended, half, 12000));
  assert_non_null(strstr(half->text, "408 "));
  raw_say(idle, "GET /y HTTP/1.1\r\n\r\n");
  expect_text(idle, "GET /y 0", 1);
  raw_close(idle);
  raw_close(half);
}

static void a_half_closed_client_still_gets_its_answer(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /hold HTTP/1.1\r\n\r\n");
  shutdown(raw->fd, SHUT_WR);
  until(world->requests);
  net_turn_until(&world->turn, NULL, NULL, 20);
  assert_int_equal(world->gone, 0);
  http_server_respond(world->server, world->last_request, 200, NULL, 0, "late", 4);
  assert_true(net_turn_until(&world->turn, has_ended, raw, 60000));
  assert_non_null(strstr(raw->text, "late"));
  raw_close(raw);
}

static void a_client_that_leaves_is_noticed(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /hold HTTP/1.1\r\n\r\n");
  until(world->requests);
  raw_close(raw);
  until(world->gone);
  assert_int_equal(http_server_respond(world->server, world->last_request, 200, NULL, 0, "x", 1),
                   -ENOENT);
  assert_int_equal(http_server_write(world->server, world->last_request, "x", 1), -ENOENT);
}

static void a_killed_client_of_a_stream_is_noticed(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  raw_say(raw, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  raw_close(raw); // the child alone holds it now
  net_turn_until(&world->turn, NULL, NULL, 20);
  assert_int_equal(world->gone, 0);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  until(world->gone);
}

static void a_stream_comes_in_chunks_and_ends(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  assert_int_equal(http_server_write(world->server, world->stream, "one\n", 4), 0);
  expect_text(raw, "4\r\none\n\r\n", 1);
  assert_int_equal(http_server_write(world->server, world->stream, "", 0), 0);
  assert_int_equal(http_server_finish(world->server, world->stream), 0);
  expect_text(raw, "\r\n0\r\n\r\n", 1);
  raw_say(raw, "GET /next HTTP/1.1\r\n\r\n");
  expect_text(raw, "GET /next 0", 1);
  raw_close(raw);
}

static void http_1_0_gets_its_stream_without_chunks(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /stream HTTP/1.0\r\n\r\n");
  until(world->requests);
  http_server_write(world->server, world->stream, "plain", 5);
  http_server_finish(world->server, world->stream);
  assert_true(net_turn_until(&world->turn, has_ended, raw, 60000));
  assert_null(strstr(raw->text, "chunked"));
  assert_string_equal(raw->text + raw->size - 9, "\r\n\r\nplain");
  raw_close(raw);
}

static void head_has_no_body(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "HEAD /h HTTP/1.1\r\n\r\n");
  expect_text(raw, "Content-Length: 9\r\n\r\n", 1);
  assert_string_equal(raw->text + raw->size - 4, "\r\n\r\n");
  raw_close(raw);
}

static void a_slow_reader_is_told_of_and_costs_bounded_memory(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  static char block[16 * 1024];
  memset(block, 'x', sizeof block);
  int64_t queued = 0;
  while (queued >= 0 && queued <= HTTP_SERVER_HIGH)
    queued = http_server_write(world->server, world->stream, block, sizeof block);
  assert_true(queued > HTTP_SERVER_HIGH);
  net_turn_until(&world->turn, NULL, NULL, 20);
  assert_int_equal(world->drains, 0);
  struct raw *other = raw_open(); // nobody else waits for it
  raw_say(other, "GET /other HTTP/1.1\r\n\r\n");
  expect_text(other, "GET /other 0", 1);
  raw_close(other);
  while (!world->drains) net_turn_until(&world->turn, has_ended, raw, 5);
  assert_int_equal(world->drains, 1);
  int writes = 0; // one that never listens to the queue's length is cut off
  while ((queued = http_server_write(world->server, world->stream, block, sizeof block)) >= 0) {
    assert_true(queued <= HTTP_SERVER_QUEUE + (int64_t)sizeof block + 64);
    writes++;
  }
  assert_int_equal(queued, -ENOENT);
  assert_true(writes > 400);
  until(world->gone);
  raw_close(raw);
}

static void many_idle_clients_give_way_to_new_ones(void **state) {
  (void)state;
  enum { MANY = HTTP_SERVER_CLIENTS + 20 };
  struct raw **raws = calloc(MANY, sizeof *raws);
  for (int i = 0; i < MANY; i++) {
    raws[i] = raw_open();
    raw_say(raws[i], "GET /n HTTP/1.1\r\n\r\n");
    expect_text(raws[i], "GET /n 0", 1);
  }
  assert_true(net_turn_until(&world->turn, has_ended, raws[0], 1000));
  raw_say(raws[MANY - 1], "GET /m HTTP/1.1\r\n\r\n");
  expect_text(raws[MANY - 1], "GET /m 0", 1);
  for (int i = 0; i < MANY; i++) raw_close(raws[i]);
  free(raws);
}

// Those that hold all places with half a request don't keep others out for long; who is being
// answered stays.
static void many_slow_askers_give_way_to_new_ones(void **state) {
  (void)state;
  enum { MANY = HTTP_SERVER_CLIENTS };
  struct raw **raws = calloc(MANY, sizeof *raws);
  for (int i = 0; i < MANY; i++) {
    raws[i] = raw_open();
    raw_say(raws[i], i ? "POST /n HTTP/1.1\r\nX: " : "GET /hold HTTP/1.1\r\n\r\n");
  }
  until(world->requests);
  struct raw *early = raw_open();
  raw_say(early, "GET /early HTTP/1.1\r\n\r\n");
  expect_text(early, "\"code\":\"busy\"", 1);
  raw_close(early);
  net_turn_until(&world->turn, NULL, NULL, 1500);
  struct raw *next = raw_open();
  raw_say(next, "GET /m HTTP/1.1\r\n\r\n");
  expect_text(next, "GET /m 0", 1);
  assert_int_equal(world->gone, 0);
  raw_close(next);
  for (int i = 0; i < MANY; i++) raw_close(raws[i]);
  free(raws);
}

static void without_descriptors_accepting_neither_spins_nor_dies(void **state) {
  (void)state;
  struct raw *raws[4];
  for (int i = 0; i < 4; i++) raws[i] = raw_open();
  struct rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  none = (struct rlimit){3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  struct rusage start, end;
  getrusage(RUSAGE_SELF, &start);
  net_turn_until(&world->turn, NULL, NULL, 300);
  getrusage(RUSAGE_SELF, &end);
  setrlimit(RLIMIT_NOFILE, &before);
  long used = (end.ru_utime.tv_sec - start.ru_utime.tv_sec) * 1000000 + end.ru_utime.tv_usec -
              start.ru_utime.tv_usec;
  assert_true(used < 200000);
  for (int i = 0; i < 4; i++) raw_close(raws[i]);
  struct raw *raw = raw_open();
  raw_say(raw, "GET /again HTTP/1.1\r\n\r\n");
  expect_text(raw, "GET /again 0", 1);
  raw_close(raw);
}

static void the_socket_is_private_and_replaces_a_stale_one(void **state) {
  (void)state;
  struct stat info;
  assert_int_equal(stat(world->path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  uint64_t id;
  assert_int_equal(http_server_listen(world->server, world->path, &id), -EADDRINUSE);
  char path[128];
  snprintf(path, sizeof path, "%s/stale", world->dir);
  int fd = unix_socket_listen(path);
  close(fd); // its listener is dead, the file is there
  assert_int_equal(http_server_listen(world->server, path, &id), 0);
  assert_true(http_server_cancel(world->server, id));
  assert_int_equal(access(path, F_OK), -1);
  fd = open(path, O_CREAT | O_WRONLY, 0600);
  close(fd);
  assert_int_equal(http_server_listen(world->server, path, &id), -EEXIST);
  unlink(path);
  char far[200];
  memset(far, 'x', sizeof far);
  far[199] = '\0';
  assert_int_equal(http_server_listen(world->server, far, &id), -ENAMETOOLONG);
}

static void close_writes_what_is_queued(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /stream HTTP/1.1\r\n\r\n");
  until(world->requests);
  pid_t child = fork();
  if (child == 0) {
    size_t total = 0;
    char block[8192];
    fcntl(raw->fd, F_SETFL, 0);
    alarm(20);
    while (total < 1024 * 1024) {
      ssize_t n = read(raw->fd, block, sizeof block);
      if (n <= 0) _exit(1);
      total += (size_t)n;
    }
    _exit(0);
  }
  raw_close(raw);
  char *block = calloc(1, 1024 * 1024);
  assert_true(http_server_write(world->server, world->stream, block, 1024 * 1024) >= 0);
  free(block);
  http_server_close(world->server, 5000);
  int status;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  assert_int_equal(access(world->path, F_OK), -1);
}

static void headers_that_would_split_an_answer_are_refused(void **state) {
  (void)state;
  struct raw *raw = raw_open();
  raw_say(raw, "GET /hold HTTP/1.1\r\n\r\n");
  until(world->requests);
  struct http_pair bad = {"X", "a\r\nSet-Cookie: b"};
  assert_int_equal(http_server_respond(world->server, world->last_request, 200, &bad, 1, "", 0),
                   -EINVAL);
  assert_int_equal(http_server_respond(world->server, world->last_request, 200, NULL, 0, "ok", 2),
                   0);
  expect_text(raw, "\r\n\r\nok", 1);
  raw_close(raw);
}

// ---- through a link

static uint64_t call(uint64_t link, const char *path, const char *body, bool stream) {
  struct http_call call = {.path = path,
                           .method = body ? "POST" : "GET",
                           .body = body,
                           .body_size = body ? strlen(body) : 0,
                           .stream = stream};
  uint64_t id = 0;
  assert_int_equal(http_link_call(world->links, link, &call, &id), 0);
  return id;
}

static void calls_of_a_link_do_not_wait_for_each_other(void **state) {
  (void)state;
  uint64_t link;
  assert_int_equal(http_link_open(world->links, world->path, &link), 0);
  call(link, "/stream", NULL, true);
  until(world->requests);
  call(link, "/p?q=1", "body", false);
  until(world->answers);
  assert_string_equal(world->body, "[POST /p 4]");
  world->body[0] = '\0';
  http_server_write(world->server, world->stream, "piece", 5);
  http_server_finish(world->server, world->stream);
  until(world->ends);
  assert_string_equal(world->body, "piece");
  assert_int_equal(world->status, 200);
  world->answers = 0;
  call(link, "/again", NULL, false);
  until(world->answers);
  struct http_call bad = {.path = "/a b"};
  uint64_t id;
  assert_int_equal(http_link_call(world->links, link, &bad, &id), -EINVAL);
  assert_int_equal(http_link_call(world->links, 9999, &bad, &id), -ENOENT);
}

static void a_lost_server_ends_the_calls(void **state) {
  (void)state;
  uint64_t link, id;
  assert_int_equal(http_link_open(world->links, world->path, &link), 0);
  call(link, "/hold", NULL, false);
  until(world->requests);
  http_server_cancel(world->server, world->last_request);
  until(world->gone);
  http_server_close(world->server, 0);
  struct http_call again = {.path = "/"};
  assert_int_equal(http_link_call(world->links, link, &again, &id), -ENOENT); // the file is gone
  assert_int_equal(http_link_open(world->links, world->path, &link), -ENOENT);
}

static void a_link_knows_who_serves_it_before_an_answer_and_after(void **state) {
  (void)state;
  uint64_t link;
  pid_t pid = 0;
  uid_t uid = (uid_t)-1;
  assert_int_equal(http_link_open(world->links, world->path, &link), 0);
  assert_int_equal(http_link_peer(world->links, link, &pid, &uid), 0);
  assert_int_equal(pid, getpid());
  assert_int_equal(uid, geteuid());
  call(link, "/hold", NULL, false);
  pid = 0;
  assert_int_equal(http_link_peer(world->links, link, &pid, &uid), 0);
  assert_int_equal(pid, getpid());
  until(world->requests);
  http_server_cancel(world->server, world->last_request);
  until(world->gone);
  assert_int_equal(http_link_peer(world->links, link, &pid, &uid), -ENOENT);
  assert_int_equal(http_link_peer(world->links, link + 1, &pid, &uid), -ENOENT);
}

static void a_cancelled_call_says_nothing_and_the_server_hears_of_it(void **state) {
  (void)state;
  uint64_t link;
  assert_int_equal(http_link_open(world->links, world->path, &link), 0);
  uint64_t id = call(link, "/stream", NULL, true);
  until(world->requests);
  assert_true(control_cancel(world->control, id));
  assert_false(control_cancel(world->control, id));
  until(world->gone);
  assert_int_equal(world->gone, 1);
  assert_int_equal(world->ends, 0);
}

static void an_answer_of_garbage_ends_the_call(void **state) {
  (void)state;
  char path[128];
  snprintf(path, sizeof path, "%s/odd", world->dir);
  int listener = unix_socket_listen(path);
  uint64_t link;
  assert_int_equal(http_link_open(world->links, path, &link), 0);
  call(link, "/", NULL, false);
  int peer = unix_socket_accept(listener);
  assert_int_equal(write(peer, "nonsense\r\n\r\n", 12), 12);
  until(world->gone);
  close(peer);
  close(listener);
  unlink(path);
}

static void the_front_calls_over_its_socketpair_and_its_end_is_told(void **state) {
  (void)state;
  int fds[2];
  uint64_t link;
  assert_int_equal(unix_socket_pair(fds), 0);
  assert_int_equal(http_server_front(world->server, fds[0], &world->front_id), 0);
  assert_int_equal(http_link_front(world->links, fds[1], &link), 0);
  call(link, "/stream", NULL, true);
  until(world->requests);
  call(link, "/x", NULL, false);
  until(world->answers);
  assert_string_equal(world->said, "GET /stream front;GET /x front;");
  assert_int_equal(world->fronts_gone, 0);
  assert_true(control_cancel(world->control, link)); // closes the front's end
  until(world->fronts_gone);
  until(world->gone);
}

static void a_front_whose_engine_is_gone_is_told_at_the_call(void **state) {
  (void)state;
  int fds[2];
  uint64_t link, id;
  assert_int_equal(unix_socket_pair(fds), 0);
  close(fds[0]);
  assert_int_equal(http_link_front(world->links, fds[1], &link), 0);
  struct http_call call = {.path = "/"};
  assert_int_equal(http_link_call(world->links, link, &call, &id), -EPIPE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_request_is_answered_and_the_connection_kept),
      test(pipelined_requests_are_answered_in_order),
      test(a_request_may_come_byte_by_byte),
      test(a_flood_of_pipelined_requests_is_bounded),
      test(garbage_is_answered_400_and_closed),
      test(a_target_may_name_the_host_that_is_asked),
      test(a_request_that_is_cut_off_is_answered_400),
      test(limits_have_their_own_answers),
      test(the_largest_body_arrives_whole),
      test(half_a_request_and_an_idle_client_are_treated_apart),
      test(a_half_closed_client_still_gets_its_answer),
      test(a_client_that_leaves_is_noticed),
      test(a_link_knows_who_serves_it_before_an_answer_and_after),
      test(a_killed_client_of_a_stream_is_noticed),
      test(a_stream_comes_in_chunks_and_ends),
      test(http_1_0_gets_its_stream_without_chunks),
      test(head_has_no_body),
      test(a_slow_reader_is_told_of_and_costs_bounded_memory),
      test(many_idle_clients_give_way_to_new_ones),
      test(many_slow_askers_give_way_to_new_ones),
      test(without_descriptors_accepting_neither_spins_nor_dies),
      test(the_socket_is_private_and_replaces_a_stale_one),
      test(close_writes_what_is_queued),
      test(headers_that_would_split_an_answer_are_refused),
      test(calls_of_a_link_do_not_wait_for_each_other),
      test(a_lost_server_ends_the_calls),
      test(a_cancelled_call_says_nothing_and_the_server_hears_of_it),
      test(an_answer_of_garbage_ends_the_call),
      test(the_front_calls_over_its_socketpair_and_its_end_is_told),
      test(a_front_whose_engine_is_gone_is_told_at_the_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
