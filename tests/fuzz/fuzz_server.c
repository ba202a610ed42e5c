// Plays a client of a script's HTTP server: the input's bytes in pieces, while requests are
// answered, streamed, held, cancelled or lost as its first bytes say. Whatever comes, what goes
// back begins like HTTP, bodies keep to their limit, and nothing is left. Run: fuzz_server CORPUS
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/unix_socket.h"
#include "os/fs.h"

enum { PREFIX = 4, BODY_MAX = 300, HELD_MAX = 8, TURNS = 3, TURNS_AT_END = 6 };
enum action { RESPOND, NO_CONTENT, STREAM, HOLD, CANCEL, RESPOND_LATER, LARGE, ACTIONS };

static char dir[64], path[96];
static struct loop loop;
static struct http_server *server;
static uv_idle_t pump;
static uint64_t listener, actions;
static uint64_t held[HELD_MAX];
static size_t held_count;
static char large[100000];

static void stop_turn(uv_idle_t *idle) {
  (void)idle;
  loop_stop(&loop);
}

static void turn(int times) {
  for (int i = 0; i < times; i++) {
    loop.stopping = false;
    loop_run(&loop);
  }
}

static void respond(uint64_t request, int status, const char *body, size_t size) {
  struct http_pair header = {"X-Y", "z"};
  http_server_respond(server, request, status, &header, 1, body, size);
}

static void stream(uint64_t request) {
  http_server_stream(server, request, 200, NULL, 0);
  http_server_write(server, request, "piece", 5);
  http_server_write(server, request, "", 0);
  if (actions & 1) http_server_write(server, request, large, sizeof large);
  if (actions & 2) http_server_finish(server, request);
}

static void act(uint64_t request) {
  enum action action = actions % ACTIONS;
  actions = actions / ACTIONS ? actions / ACTIONS : actions + 1;
  switch (action) {
  case RESPOND: respond(request, 200, "body", 4); return;
  case NO_CONTENT: respond(request, 204, "", 0); return;
  case STREAM: stream(request); return;
  case CANCEL: http_server_cancel(server, request); return;
  case LARGE: respond(request, 200, large, sizeof large); return;
  case HOLD:
  case RESPOND_LATER:
    if (held_count < HELD_MAX) held[held_count++] = request;
    return;
  case ACTIONS: abort();
  }
}

static void deliver(struct event *event, void *context) {
  (void)context;
  if (event->kind != EV_REQUEST) return;
  const struct http_request_event *request = (struct http_request_event *)event;
  if (event->id != listener || request->message.body_size > BODY_MAX) abort();
  const char *path_asked = request->message.path;
  if (path_asked[0] != '/' && strcmp(path_asked, "*") != 0) abort();
  act(request->request);
}

static void after_turn(void *context) {
  (void)context;
}

static void answer_held(void) {
  for (size_t i = 0; i < held_count; i++) respond(held[i], 200, "late", 4);
  held_count = 0;
}

static void listen_again(void) {
  const struct http_limits limits = {.head_ms = 10000,
                                     .body_ms = 10000,
                                     .idle_ms = 10000,
                                     .take_ms = 10000,
                                     .body_bytes = BODY_MAX,
                                     .clients = 4};
  int fd = unix_socket_listen(path);
  if (fd < 0 || http_server_serve(server, fd, path, &limits, &listener)) abort();
}

static void finish(void) {
  http_server_destroy(server);
  uv_close((uv_handle_t *)&pump, NULL);
  loop_finish(&loop);
  fs_remove(dir, true);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  signal(SIGPIPE, SIG_IGN);
  strcpy(dir, "/tmp/pactlua-fuzz-XXXXXX");
  if (!mkdtemp(dir)) abort();
  snprintf(path, sizeof path, "%s/s", dir);
  if (loop_init(&loop, deliver, after_turn, NULL)) abort();
  uv_idle_init(&loop.uv, &pump);
  uv_idle_start(&pump, stop_turn);
  server = http_server_create(&loop);
  listen_again();
  return atexit(finish);
}

// What has come back so far: its first bytes are a status line's.
static void hear(int fd, char start[8], size_t *size) {
  char bytes[65536];
  ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  for (ssize_t i = 0; i < got && *size < 8; i++) start[(*size)++] = bytes[i];
  if (memcmp(start, "HTTP/1.1", *size) != 0) abort();
}

static void play(int fd, const char *bytes, size_t size, unsigned step, bool deaf) {
  char start[8];
  size_t heard = 0;
  for (size_t at = 0; at < size;) {
    size_t piece = step < size - at ? step : size - at;
    ssize_t sent = send(fd, bytes + at, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) break;
    if (sent < 0 && deaf) break; // it is busy answering who doesn't hear
    if (sent > 0) at += (size_t)sent;
    turn(TURNS);
    if (!deaf) hear(fd, start, &heard);
    if (held_count > 2) answer_held();
  }
  if (!deaf) hear(fd, start, &heard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size <= PREFIX) return 0;
  unsigned step = 1 + data[0] % 61;
  if (data[0] & 128) step = 4096;
  actions = (uint64_t)data[2] << 8 | data[3];
  int fd = unix_socket_connect(path);
  if (fd < 0) abort();
  play(fd, (const char *)data + PREFIX, size - PREFIX, step, data[1] & 4);
  if (data[1] & 1) answer_held();
  if (data[1] & 2) shutdown(fd, SHUT_WR);
  turn(TURNS);
  if (data[1] & 8) {
    http_server_cancel(server, listener);
    listen_again();
  }
  close(fd);
  turn(TURNS_AT_END);
  answer_held();
  turn(1);
  return 0;
}
