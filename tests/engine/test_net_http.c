// The HTTP client against servers that misbehave in every way known: each must be bounded and
// named.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http_client.h"
#include "net/port.h"
#include "net_turn.h"

// ---- a server on threads; the path of a request says how it behaves

static struct {
  int fd, port;
  pthread_t thread;
  int requests;
} server;

static bool say(int fd, const char *text) {
  return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void until_closed(int fd) {
  char scratch[256];
  while (recv(fd, scratch, sizeof scratch, 0) > 0) {}
}

static void drip(int fd, const char *piece, unsigned pause_ms) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  while (say(fd, piece) && poll(&poll_fd, 1, (int)pause_ms) == 0) {}
}

static void pour(int fd, const char *piece) {
  while (say(fd, piece)) {}
}

static void reset(int fd) {
  struct linger hard = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void serve(int fd, const char *request) {
  char text[4096], path[128] = "", other[128];
  sscanf(request, "%*s %100s", path);
  if (strcmp(path, "/ok") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nX-A: one\r\nx-a: two\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello");
    until_closed(fd);
  } else if (strcmp(path, "/echo") == 0) {
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(request),
             request);
    say(fd, text);
  } else if (strcmp(path, "/503") == 0) {
    say(fd, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  } else if (strcmp(path, "/chunked") == 0) {
    say(fd,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  } else if (strcmp(path, "/interim") == 0) {
    say(fd, "HTTP/1.1 100 Continue\r\nX-B: no\r\n\r\nHTTP/1.1 204 Done\r\nX-C: yes\r\n\r\n");
  } else if (strcmp(path, "/hang") == 0) {
    until_closed(fd);
  } else if (strcmp(path, "/trickle-head") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nX: ");
    drip(fd, "x", 20);
  } else if (strcmp(path, "/trickle-body") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    drip(fd, "x", 20);
  } else if (strcmp(path, "/endless-head") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\n");
    pour(fd, "X-Flood: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
  } else if (strcmp(path, "/endless-line") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nX: ");
    pour(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  } else if (strcmp(path, "/endless-interim") == 0) {
    pour(fd, "HTTP/1.1 100 Continue\r\n\r\n");
  } else if (strcmp(path, "/flood") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    pour(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  } else if (strcmp(path, "/cut") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  } else if (strcmp(path, "/close") == 0) {
  } else if (strcmp(path, "/reset") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    reset(fd);
  } else if (strcmp(path, "/garbage") == 0) {
    say(fd, "\x01\x02 SSH-2.0-nonsense\r\n\r\n");
  } else if (strcmp(path, "/lies") == 0) {
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx");
  } else if (strcmp(path, "/loop") == 0) {
    say(fd, "HTTP/1.1 302 F\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
  } else if (strcmp(path, "/once") == 0) {
    say(fd, "HTTP/1.1 302 F\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
  } else if (strcmp(path, "/away") == 0) {
    say(fd, "HTTP/1.1 302 F\r\nLocation: http://127.0.0.2/x\r\nContent-Length: 0\r\n\r\n");
  } else if (strcmp(path, "/file") == 0) {
    say(fd, "HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
  } else if (strcmp(path, "/name") == 0) {
    snprintf(other, sizeof other, "HTTP/1.1 302 F\r\nLocation: http://localhost:%d/ok\r\n\r\n",
             server.port);
    say(fd, other);
  }
}

static void *connection(void *argument) {
  int fd = (int)(intptr_t)argument;
  char request[2048];
  size_t size = 0;
  while (size < sizeof request - 1 && !(size > 4 && strstr(request, "\r\n\r\n"))) {
    ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
    if (got <= 0) break;
    size += (size_t)got;
    request[size] = '\0';
  }
  if (size) serve(fd, request);
  close(fd);
  return NULL;
}

static void *accept_all(void *argument) {
  (void)argument;
  for (;;) {
    int fd = accept4(server.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return NULL;
    __atomic_add_fetch(&server.requests, 1, __ATOMIC_RELAXED);
    pthread_t thread;
    pthread_create(&thread, NULL, connection, (void *)(intptr_t)fd);
    pthread_detach(thread);
  }
}

static int start_server(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  setenv("http_proxy", "http://127.0.0.1:9", 1); // must make no difference
  setenv("all_proxy", "http://127.0.0.1:9", 1);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server.fd, (struct sockaddr *)&address, size) || listen(server.fd, 64)) return -1;
  getsockname(server.fd, (struct sockaddr *)&address, &size);
  server.port = ntohs(address.sin_port);
  return pthread_create(&server.thread, NULL, accept_all, NULL);
}

static int stop_server(void **state) {
  (void)state;
  shutdown(server.fd, SHUT_RDWR);
  close(server.fd);
  return pthread_join(server.thread, NULL);
}

// ---- the client

static struct world {
  struct net_turn turn;
  struct http_client *client;
  int answers, status;
  size_t body_size;
  bool truncated;
  char code[32], message[512], body[4096], headers[1024], url[256];
  uint64_t began;
  int pieces, first_status; // of a stream
  size_t piece_bytes;
  bool more; // asks for the next piece at once
} * world;

static void take_piece(const struct http_piece_event *piece) {
  if (!world->pieces++)
    world->first_status = piece->status;
  else
    assert_int_equal(piece->header_count, 0);
  world->piece_bytes += piece->size;
  size_t at = strlen(world->body);
  snprintf(world->body + at, sizeof world->body - at, "%.*s", (int)piece->size, piece->bytes);
  if (world->more) http_client_more(world->client, piece->event.id);
}

static void deliver(struct event *event, void *context) {
  (void)context;
  if (event->kind == EV_PIECE) {
    take_piece((const struct http_piece_event *)event);
    return;
  }
  const struct http_event *http = (const struct http_event *)event;
  world->answers++;
  world->status = http->status;
  snprintf(world->code, sizeof world->code, "%s", http->code ? http->code : "");
  snprintf(world->message, sizeof world->message, "%s", http->message ? http->message : "");
  snprintf(world->body, sizeof world->body, "%s", http->body ? http->body : "");
  snprintf(world->url, sizeof world->url, "%s", http->url ? http->url : "");
  world->headers[0] = '\0';
  for (size_t i = 0, at = 0; i < http->header_count && at < sizeof world->headers; i++)
    at += (size_t)snprintf(world->headers + at, sizeof world->headers - at, "%s=%s;",
                           http->headers[i].name, http->headers[i].value);
  world->body_size = http->body_size;
  world->truncated = http->truncated;
}

static int setup(void **state) {
  world = *state = calloc(1, sizeof *world);
  net_turn_init(&world->turn, deliver, NULL);
  world->client = http_client_create(&world->turn.loop);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  http_client_destroy(world->client);
  net_turn_finish(&world->turn);
  free(world);
  return 0;
}

static bool answered(void *context) {
  (void)context;
  return world->answers != 0;
}

static void ask(struct http_options options, const char *path) {
  char url[256];
  if (strstr(path, "://") || path[0] != '/')
    snprintf(url, sizeof url, "%s", path);
  else
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
  options.url = url;
  if (!options.timeout_ms) options.timeout_ms = 5000;
  if (!options.max_body) options.max_body = 64 * 1024;
  world->answers = 0;
  world->began = loop_now_ms(&world->turn.loop);
  http_client_request(world->client, &options);
  if (!net_turn_until(&world->turn, answered, NULL, 60000)) fail_msg("%s: no answer", path);
}

// An empty code stands for any fault.
static void expect_fault(const char *path, struct http_options options, const char *code,
                         const char *message) {
  ask(options, path);
  if (!*world->code || (*code && strcmp(world->code, code) != 0) ||
      !strstr(world->message, message))
    fail_msg("%s: expected %s '%s', got %s '%s' (status %d)", path, code, message, world->code,
             world->message, world->status);
}

static void an_answer_has_status_headers_and_body(void **state) {
  (void)state;
  ask((struct http_options){0}, "/ok");
  assert_string_equal(world->code, "");
  assert_int_equal(world->status, 200);
  assert_string_equal(world->body, "hello");
  assert_string_equal(world->headers, "x-a=one;x-a=two;empty=;content-length=5;");
  assert_false(world->truncated);
  ask((struct http_options){0}, "/503");
  assert_int_equal(world->status, 503);
  ask((struct http_options){0}, "/chunked");
  assert_string_equal(world->body, "abcde");
  ask((struct http_options){0}, "/interim");
  assert_int_equal(world->status, 204);
  assert_string_equal(world->headers, "x-c=yes;");
}

static void a_request_says_what_it_was_told(void **state) {
  (void)state;
  struct http_pair headers[] = {{"X-Key", "v"}, {"Accept", "text/plain"}, {"X-Empty", ""}};
  ask((struct http_options){.body = "a=b", .body_size = 3, .headers = headers, .header_count = 3},
      "/echo");
  assert_non_null(strstr(world->body, "POST /echo HTTP/1.1\r\n"));
  assert_non_null(strstr(world->body, "X-Key: v\r\n"));
  assert_non_null(strstr(world->body, "Accept: text/plain\r\n"));
  assert_non_null(strstr(world->body, "X-Empty:\r\n"));
  assert_non_null(strstr(world->body, "Content-Length: 3\r\n"));
  assert_non_null(strstr(world->body, "User-Agent: pactlua\r\n"));
  assert_null(strstr(world->body, "Expect"));
  ask((struct http_options){.method = "PUT", .user_agent = "me"}, "/echo");
  assert_non_null(strstr(world->body, "PUT /echo HTTP/1.1\r\n"));
  assert_non_null(strstr(world->body, "User-Agent: me\r\n"));
  assert_null(strstr(world->body, "X-Key")); // nothing of the request before
  ask((struct http_options){.method = "HEAD"}, "/ok");
  assert_int_equal(world->status, 200);
  assert_int_equal(world->body_size, 0);
}

static void the_deadline_is_for_all_of_it(void **state) {
  (void)state;
  const char *paths[] = {"/hang", "/trickle-head", "/trickle-body"};
  for (size_t i = 0; i < 3; i++) {
    expect_fault(paths[i], (struct http_options){.timeout_ms = 300}, "timeout", "within 300ms");
    uint64_t took = loop_now_ms(&world->turn.loop) - world->began;
    assert_true(took >= 295 && took < 30000);
  }
}

static void a_flood_is_read_up_to_the_cap(void **state) {
  (void)state;
  ask((struct http_options){.max_body = 1000}, "/flood");
  assert_string_equal(world->code, "");
  assert_int_equal(world->status, 200);
  assert_int_equal(world->body_size, 1000);
  assert_true(world->truncated);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < 20; i++) ask((struct http_options){.max_body = 1000}, "/flood");
  expect_fault("/endless-head", (struct http_options){0}, "protocol", "head is larger");
  expect_fault("/endless-interim", (struct http_options){0}, "protocol", "head is larger");
  ask((struct http_options){0}, "/endless-line");
  assert_string_not_equal(world->code, "");
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
}

static void what_ends_too_soon_or_is_no_http_is_named(void **state) {
  (void)state;
  expect_fault("/close", (struct http_options){0}, "reset", "without an answer");
  expect_fault("/cut", (struct http_options){0}, "reset", "middle of the answer");
  expect_fault("/reset", (struct http_options){0}, "reset", "");
  expect_fault("/garbage", (struct http_options){0}, "protocol", "isn't HTTP");
  ask((struct http_options){0}, "/lies"); // the length is ignored
  assert_string_equal(world->body, "x");
}

static void refusals_and_bad_urls_are_named(void **state) {
  (void)state;
  expect_fault("http://127.0.0.1:1/", (struct http_options){0}, "refused", "connection refused");
  expect_fault("http://localhost:1/", (struct http_options){0}, "refused", "connection refused");
  expect_fault("http://[::1]:1/", (struct http_options){0}, "", "");
  expect_fault("ftp://127.0.0.1/", (struct http_options){0}, "other", "only http and https");
  expect_fault("file:///etc/passwd", (struct http_options){0}, "other", "only http and https");
  expect_fault("nonsense", (struct http_options){0}, "other", "not a URL");
  expect_fault("http://a b/", (struct http_options){0}, "other", "not a URL");
  expect_fault("http://no.such.name.invalid/", (struct http_options){.timeout_ms = 3000}, "", "");
  assert_true(strcmp(world->code, "dns") == 0 || strcmp(world->code, "timeout") == 0);
  assert_non_null(strstr(world->message, "name 'no.such.name.invalid'"));
}

static void redirects_are_followed_only_when_asked_and_to_the_same_host(void **state) {
  (void)state;
  ask((struct http_options){0}, "/once");
  assert_int_equal(world->status, 302);
  ask((struct http_options){.redirects = 1, .body = "x", .body_size = 1}, "/once");
  assert_int_equal(world->status, 200);
  assert_non_null(strstr(world->body, "GET /echo"));
  assert_non_null(strstr(world->url, "/echo"));
  __atomic_store_n(&server.requests, 0, __ATOMIC_RELAXED);
  expect_fault("/loop", (struct http_options){.redirects = 3}, "redirects", "more than 3 times");
  assert_int_equal(__atomic_load_n(&server.requests, __ATOMIC_RELAXED), 4);
  expect_fault("/away", (struct http_options){.redirects = 3}, "redirects", "another host");
  expect_fault("/file", (struct http_options){.redirects = 3}, "redirects", "another host");
  expect_fault("/name", (struct http_options){.redirects = 3}, "redirects", "another host");
}

static void names_of_this_machine_are_served(void **state) {
  (void)state;
  char url[64], host[HOST_NAME_MAX + 1] = "";
  snprintf(url, sizeof url, "http://localhost:%d/ok", server.port);
  ask((struct http_options){0}, url);
  assert_int_equal(world->status, 200);
  FILE *hosts = fopen("/etc/hosts", "r"); // a name that needs a look-up, if there is one
  char line[256], ip[64], name[128];
  while (hosts && fgets(line, sizeof line, hosts))
    if (sscanf(line, "%63s %127s", ip, name) == 2 && strcmp(ip, "127.0.0.1") == 0 &&
        strcmp(name, "localhost") != 0)
      snprintf(host, sizeof host, "%.60s", name);
  if (hosts) fclose(hosts);
  if (!*host) return;
  snprintf(url, sizeof url, "http://%.30s:%d/ok", host, server.port);
  ask((struct http_options){0}, url);
  assert_int_equal(world->status, 200);
}

// Among them a flood without end: it must leave the loop its turns.
static void a_cancelled_request_says_nothing(void **state) {
  (void)state;
  const char *urls[] = {"/hang", "/flood", "/trickle-head", "http://some.name.invalid/"};
  for (size_t i = 0; i < 8; i++) {
    char url[128];
    const char *path = urls[i % 4];
    if (*path == '/')
      snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    else
      snprintf(url, sizeof url, "%s", path);
    struct http_options options = {.url = url, .timeout_ms = 60000, .max_body = SIZE_MAX};
    uint64_t id = http_client_request(world->client, &options);
    if (i >= 4 && i < 7) net_turn_until(&world->turn, NULL, NULL, 30);
    assert_true(http_client_cancel(world->client, id));
    assert_false(http_client_cancel(world->client, id));
    loop_forget(&world->turn.loop, id);
  }
  net_turn_until(&world->turn, NULL, NULL, 300);
  assert_int_equal(world->answers, 0);
}

static bool pieces_came(void *context) {
  (void)context;
  return world->pieces != 0;
}

static void a_streamed_body_comes_piece_by_piece(void **state) {
  (void)state;
  world->more = true;
  ask((struct http_options){.stream = true, .redirects = 1}, "/chunked");
  assert_string_equal(world->code, "");
  assert_int_equal(world->first_status, 200);
  assert_int_equal(world->piece_bytes, 5);
  assert_int_equal(world->body_size, 0);
  world->pieces = 0;
  expect_fault("/cut", (struct http_options){.stream = true}, "reset", "middle of the answer");
  assert_int_equal(world->pieces, 1);
  world->pieces = 0;
  expect_fault("/hang", (struct http_options){.stream = true, .timeout_ms = 100}, "timeout", "");
  assert_int_equal(world->pieces, 0);
}

// No clock runs while a piece is out, and no more than one is.
static void a_stream_waits_for_its_reader(void **state) {
  (void)state;
  char url[256];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/flood", server.port);
  struct http_options options = {.url = url, .timeout_ms = 100, .stream = true};
  uint64_t id = http_client_request(world->client, &options);
  assert_true(net_turn_until(&world->turn, pieces_came, NULL, 60000));
  net_turn_until(&world->turn, NULL, NULL, 300);
  assert_int_equal(world->pieces, 1);
  assert_int_equal(world->answers, 0);
  for (int i = 0; i < 50; i++) {
    world->pieces = 0;
    assert_true(http_client_more(world->client, id));
    assert_true(net_turn_until(&world->turn, pieces_came, NULL, 60000));
    assert_int_equal(world->pieces, 1);
  }
  assert_true(http_client_cancel(world->client, id));
  assert_false(http_client_more(world->client, id));
}

static void nothing_ticks_when_all_is_answered(void **state) {
  (void)state;
  ask((struct http_options){0}, "/ok");
  expect_fault("http://127.0.0.1:1/", (struct http_options){0}, "refused", "refused");
  assert_int_equal(uv_backend_timeout(&world->turn.loop.uv), 0 /* no active handle at all */);
  assert_int_equal(uv_loop_alive(&world->turn.loop.uv), 0);
}

static int open_fds(void) {
  int count = 0;
  for (int fd = 0; fd < 512; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void no_descriptor_is_left_or_inherited(void **state) {
  (void)state;
  ask((struct http_options){0}, "/503");
  int before = open_fds();
  for (int i = 0; i < 20; i++) ask((struct http_options){0}, i % 2 ? "/503" : "/close");
  assert_true(open_fds() <= before + 2); // the server's threads may still be closing one
  for (int fd = 3; fd < 512; fd++)
    if (fcntl(fd, F_GETFD) >= 0) assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void many_at_once_are_all_answered(void **state) {
  (void)state;
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/503", server.port);
  struct http_options options = {.url = url, .timeout_ms = 60000, .max_body = 100};
  for (int i = 0; i < 200; i++) http_client_request(world->client, &options);
  for (int i = 0; i < 6000 && world->answers < 200; i++)
    net_turn_until(&world->turn, NULL, NULL, 10);
  assert_int_equal(world->answers, 200);
  assert_int_equal(world->status, 503);
}

// ---- TLS, where the machine has the openssl program

static void certificates_are_checked_and_what_is_wrong_is_named(void **state) {
  (void)state;
  if (system("command -v openssl >/dev/null") != 0) skip();
  char dir[] = "/tmp/pactlua-test-XXXXXX", command[512], url[64];
  assert_non_null(mkdtemp(dir));
  snprintf(command, sizeof command,
           "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 "
           "-subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1",
           dir);
  assert_int_equal(system(command), 0);
  int port = port_free();
  pid_t child = fork();
  if (child == 0) {
    char number[16];
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a failed assertion leaves nothing running
    snprintf(number, sizeof number, "%d", port);
    if (chdir(dir)) _exit(1);
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    execlp("openssl", "openssl", "s_server", "-accept", number, "-cert", "c", "-key", "k", "-www",
           NULL);
    _exit(127);
  }
  snprintf(url, sizeof url, "https://localhost:%d/", port);
  for (int i = 0; i < 200; i++) { // until it listens
    ask((struct http_options){.insecure = true}, url);
    if (strcmp(world->code, "refused") != 0) break;
  }
  assert_int_equal(world->status, 200);
  expect_fault(url, (struct http_options){0}, "tls", "self-signed");
  snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
  expect_fault(url, (struct http_options){0}, "tls", "");
  snprintf(url, sizeof url, "https://localhost:%d/", server.port); // speaks no TLS
  expect_fault(url, (struct http_options){.timeout_ms = 500}, "", "");
  kill(child, SIGTERM);
  waitpid(child, NULL, 0);
  snprintf(command, sizeof command, "rm -r %s", dir);
  assert_int_equal(system(command), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(an_answer_has_status_headers_and_body),
      test(a_request_says_what_it_was_told),
      test(the_deadline_is_for_all_of_it),
      test(a_flood_is_read_up_to_the_cap),
      test(what_ends_too_soon_or_is_no_http_is_named),
      test(refusals_and_bad_urls_are_named),
      test(redirects_are_followed_only_when_asked_and_to_the_same_host),
      test(names_of_this_machine_are_served),
      test(a_cancelled_request_says_nothing),
      test(a_streamed_body_comes_piece_by_piece),
      test(a_stream_waits_for_its_reader),
      test(nothing_ticks_when_all_is_answered),
      test(no_descriptor_is_left_or_inherited),
      test(many_at_once_are_all_answered),
      test(certificates_are_checked_and_what_is_wrong_is_named),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
