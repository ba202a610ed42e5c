// Two-way connections: the reader of frames, and both ends of an upgraded request.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/control.h"
#include "net/frame.h"
#include "net/unix_socket.h"
#include "net_turn.h"

// ---- the reader

static const char three[] = "b\0\3abc" // bytes
                            "j\0\0"    // an empty message
                            "b\1\0";   // 256 bytes follow

static size_t read_frames(const char *bytes, size_t size, size_t step, char *said) {
  struct frame_reader reader = {0};
  size_t at = 0;
  *said = '\0';
  while (at < size && reader.state != FRAME_REFUSED) {
    size_t piece = step < size - at ? step : size - at;
    at += frame_feed(&reader, bytes + at, piece);
    if (reader.state != FRAME_COMPLETE) continue;
    sprintf(said + strlen(said), "%c%zu ", reader.kind, reader.size);
    frame_next(&reader);
  }
  if (reader.state == FRAME_REFUSED) frame_refusal(&reader, said + strlen(said), 100);
  frame_reader_finish(&reader);
  return at;
}

static void frames_are_read_whole_and_in_pieces(void **state) {
  (void)state;
  char bytes[sizeof three - 1 + 256 + 1], said[256];
  memcpy(bytes, three, sizeof three - 1);
  memset(bytes + sizeof three - 1, 'x', 256);
  bytes[sizeof bytes - 1] = 'b';
  for (size_t step = 1; step <= sizeof bytes; step++) {
    assert_int_equal(read_frames(bytes, sizeof bytes, step, said), sizeof bytes);
    assert_string_equal(said, "b3 j0 b256 ");
  }
}

static void what_is_no_frame_is_refused_at_its_first_byte(void **state) {
  (void)state;
  char said[256];
  assert_int_equal(read_frames("b\0\0GET / HTTP/1.1", 17, 17, said), 6);
  assert_string_equal(said, "b0 a frame begins with 0x47: 'b' for bytes or 'j' for JSON expected");
}

static void the_largest_frame_is_64_kib_less_one(void **state) {
  (void)state;
  char *bytes = calloc(1, FRAME_HEAD + FRAME_MAX), said[256];
  frame_head(bytes, FRAME_BYTES, FRAME_MAX);
  read_frames(bytes, FRAME_HEAD + FRAME_MAX, 4096, said);
  assert_string_equal(said, "b65535 ");
  free(bytes);
}

// ---- both ends

struct world {
  struct net_turn turn;
  struct control *control;
  char dir[64], path[96];
  uint64_t request, listener, link, call;
  int requests, gone, drains, heads, answers, status;
  char why[256], from_client[65536], from_server[65536];
  size_t frames, bytes;
  bool holds; // requests wait
};

static struct world *world;

static struct http_server *server(void) {
  return control_server(world->control);
}

static void deliver(struct event *event, void *context) {
  (void)context;
  if (event->kind == EV_REQUEST) {
    world->requests++;
    world->request = ((struct http_request_event *)event)->request;
    if (!world->holds) assert_int_equal(http_server_upgrade(server(), world->request), 0);
  } else if (event->kind == EV_GONE) {
    world->gone++;
    snprintf(world->why, sizeof world->why, "%s", ((struct http_gone_event *)event)->message);
  } else if (event->kind == EV_DRAIN) {
    world->drains++;
  } else if (event->kind == EV_RESPONSE) {
    struct http_response_event *response = (struct http_response_event *)event;
    if (response->part == HTTP_RESPONSE_HEAD) world->heads++;
    if (response->part == HTTP_RESPONSE_WHOLE) world->answers++;
    world->status = response->message.status;
  } else if (event->kind == EV_FRAME) {
    struct http_frame_event *frame = (struct http_frame_event *)event;
    char *to = frame->event.id == world->call ? world->from_server : world->from_client;
    size_t at = strlen(to);
    world->frames++;
    world->bytes += frame->size;
    snprintf(to + at, sizeof world->from_client - at, "%c:%.*s;", frame->kind,
             (int)(frame->size < 100 ? frame->size : 100), frame->bytes);
  }
}

static int setup(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  world = calloc(1, sizeof *world);
  strcpy(world->dir, "/tmp/pactlua-test-XXXXXX");
  assert_non_null(mkdtemp(world->dir));
  snprintf(world->path, sizeof world->path, "%s/control.sock", world->dir);
  net_turn_init(&world->turn, deliver, NULL);
  world->control = control_create(&world->turn.loop);
  assert_int_equal(http_server_listen(server(), world->path, &world->listener), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  control_destroy(world->control);
  net_turn_finish(&world->turn);
  rmdir(world->dir);
  free(world);
  return 0;
}

#define until(condition)                                                                           \
  do {                                                                                             \
    for (int i = 0; i < 2000 && !(condition); i++) net_turn_until(&world->turn, NULL, NULL, 5);    \
    if (!(condition)) fail_msg("never: %s", #condition);                                           \
  } while (0)

static void ask(bool upgrade) {
  struct http_call call = {.path = "/x", .upgrade = upgrade};
  struct http_links *links = control_links(world->control);
  assert_int_equal(http_link_open(links, world->path, &world->link), 0);
  assert_int_equal(http_link_call(links, world->link, &call, &world->call), 0);
}

static void both_sides_send_frames(void **state) {
  (void)state;
  ask(true);
  until(world->heads == 1);
  assert_int_equal(world->status, 101);
  assert_int_equal(control_frame(world->control, world->call, 'b', "keys", 4), 0);
  assert_int_equal(control_frame(world->control, world->call, 'j', "{}", 2), 0);
  until(world->frames == 2);
  assert_string_equal(world->from_client, "b:keys;j:{};");
  assert_true(control_frame(world->control, world->request, 'b', "shown", 5) >= 0);
  assert_true(control_frame(world->control, world->request, 'b', "", 0) >= 0);
  until(world->frames == 4);
  assert_string_equal(world->from_server, "b:shown;b:;");
  assert_int_equal(http_server_finish(server(), world->request), 0);
  until(world->gone == 1);
  assert_string_equal(world->why, "the connection was closed");
  assert_int_equal(control_frame(world->control, world->call, 'b', "x", 1), -ENOENT);
  assert_int_equal(control_frame(world->control, world->request, 'b', "x", 1), -ENOENT);
}

static void much_goes_as_several_frames(void **state) {
  (void)state;
  static char much[200 * 1024];
  ask(true);
  until(world->heads == 1);
  memset(much, 'm', sizeof much);
  assert_true(control_frame(world->control, world->request, 'b', much, sizeof much) >= 0);
  until(world->bytes == sizeof much);
  assert_int_equal(world->frames, 4);
  assert_int_equal(control_frame(world->control, world->request, 'j', much, sizeof much), -EINVAL);
  assert_int_equal(control_frame(world->control, world->call, 'b', much, sizeof much), -EINVAL);
  assert_int_equal(control_frame(world->control, world->call, 'x', much, 1), -EINVAL);
}

static void what_is_answered_otherwise_comes_as_an_answer(void **state) {
  (void)state;
  world->holds = true;
  ask(true);
  until(world->requests == 1);
  assert_int_equal(http_server_frame(server(), world->request, 'b', "x", 1), -EINVAL);
  http_server_respond(server(), world->request, 409, NULL, 0, "no", 2);
  until(world->answers == 1);
  assert_int_equal(world->status, 409);
  assert_int_equal(http_link_frame(control_links(world->control), world->call, 'b', "x", 1),
                   -ENOENT);
}

static void an_answer_that_has_begun_is_not_upgraded(void **state) {
  (void)state;
  world->holds = true;
  ask(false);
  until(world->requests == 1);
  assert_int_equal(http_server_stream(server(), world->request, 200, NULL, 0), 0);
  assert_int_equal(http_server_upgrade(server(), world->request), -EALREADY);
  assert_int_equal(http_server_upgrade(server(), world->request + 1000), -ENOENT);
  assert_int_equal(http_server_frame(server(), world->request, 'b', "x", 1), -EINVAL);
}

static void who_leaves_is_told_of(void **state) {
  (void)state;
  ask(true);
  until(world->heads == 1);
  assert_true(http_links_cancel(control_links(world->control), world->call));
  until(world->gone == 1);
  assert_string_equal(world->why, "the client has left");
}

// ---- raw clients

static int raw_open(const char *text, size_t size) {
  int fd = unix_socket_connect(world->path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, size), size);
  return fd;
}

static const char *raw_read(int fd, const char *part) {
  static char text[8192];
  size_t size = 0;
  text[0] = '\0';
  for (int i = 0; i < 2000; i++) {
    ssize_t got = read(fd, text + size, sizeof text - 1 - size);
    if (got > 0) text[size += (size_t)got] = '\0';
    for (size_t at = 0; at < size; at++)
      if (!memcmp(text + at, part, strlen(part))) return text;
    if (got == 0) break;
    net_turn_until(&world->turn, NULL, NULL, 5);
  }
  fail_msg("'%s' lacks '%s'", text, part);
  return NULL;
}

#define REQUEST "GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: pactlua/1\r\n\r\n"

static void frames_that_come_with_the_request_count(void **state) {
  (void)state;
  static const char early[] = REQUEST "b\0\2hij\0\2{}";
  int fd = raw_open(early, sizeof early - 1);
  raw_read(fd, "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: pactlua/1\r\n\r\n");
  until(world->frames == 2);
  assert_string_equal(world->from_client, "b:hi;j:{};");
  close(fd);
  until(world->gone == 1);
}

// Each byte in a frame of its own, many in one read: not an event for each, and nothing out of
// order.
static void bytes_that_come_together_are_told_together(void **state) {
  (void)state;
  char text[sizeof REQUEST + 4 * 5000 + 64] = REQUEST;
  size_t size = sizeof REQUEST - 1;
  for (int i = 0; i < 5000; i++) {
    frame_head(text + size, FRAME_BYTES, 1);
    text[size + FRAME_HEAD] = (char)('a' + i % 26);
    size += FRAME_HEAD + 1;
  }
  memcpy(text + size, "j\0\2{}b\0\1y", 9);
  int fd = raw_open(text, size + 9);
  until(world->bytes == 5003);
  assert_true(world->frames >= 3 && world->frames < 20);
  assert_memory_equal(world->from_client, "b:abcdefghijklmnopqrstuvwxyzabc", 31);
  assert_non_null(strstr(world->from_client, ";j:{};b:y;"));
  close(fd);
}

static void garbage_ends_the_connection_with_a_word(void **state) {
  (void)state;
  static const char garbage[] = REQUEST "b\0\2hiGET / HTTP/1.1\r\n\r\n";
  int fd = raw_open(garbage, sizeof garbage - 1);
  raw_read(fd, "{\"type\":\"error\",\"error\":\"a frame begins with 0x47: 'b' for bytes or 'j' "
               "for JSON expected\"}");
  until(world->gone == 1);
  assert_string_equal(world->why,
                      "a frame begins with 0x47: 'b' for bytes or 'j' for JSON expected");
  assert_int_equal(http_server_frame(server(), world->request, 'b', "x", 1), -ENOENT);
  char byte;
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  for (int i = 0; i < 400 && !(poll_fd.revents & POLLHUP); i++) {
    net_turn_until(&world->turn, NULL, NULL, 5);
    poll(&poll_fd, 1, 0);
  }
  assert_int_equal(read(fd, &byte, 1), 0);
  close(fd);
}

static void a_half_closed_client_has_left(void **state) {
  (void)state;
  int fd = raw_open(REQUEST, sizeof REQUEST - 1);
  raw_read(fd, "101");
  shutdown(fd, SHUT_WR);
  until(world->gone == 1);
  close(fd);
}

// One that takes nothing is told of its room, and is cut off in the end.
static void what_waits_for_a_client_is_bounded(void **state) {
  (void)state;
  static char block[60000];
  int fd = raw_open(REQUEST, sizeof REQUEST - 1);
  until(world->requests == 1);
  int64_t queued = 0, most = 0;
  for (int i = 0; i < 1000 && queued >= 0; i++) {
    queued = http_server_frame(server(), world->request, 'b', block, sizeof block);
    if (queued > most) most = queued;
  }
  assert_int_equal(queued, -ENOENT);
  assert_true(most > HTTP_SERVER_QUEUE && most < HTTP_SERVER_QUEUE + 2 * (int64_t)sizeof block);
  until(world->gone == 1);
  close(fd);
}

static void room_is_told_of(void **state) {
  (void)state;
  static char block[60000], taken[65536];
  int fd = raw_open(REQUEST, sizeof REQUEST - 1);
  until(world->requests == 1);
  while (http_server_frame(server(), world->request, 'b', block, sizeof block) <= HTTP_SERVER_HIGH)
    continue;
  net_turn_until(&world->turn, NULL, NULL, 20);
  assert_int_equal(world->drains, 0);
  for (int i = 0; i < 2000 && !world->drains; i++) {
    while (read(fd, taken, sizeof taken) > 0) continue;
    net_turn_until(&world->turn, NULL, NULL, 1);
  }
  assert_int_equal(world->drains, 1);
  close(fd);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_are_read_whole_and_in_pieces),
      cmocka_unit_test(what_is_no_frame_is_refused_at_its_first_byte),
      cmocka_unit_test(the_largest_frame_is_64_kib_less_one),
      in_world(both_sides_send_frames),
      in_world(much_goes_as_several_frames),
      in_world(what_is_answered_otherwise_comes_as_an_answer),
      in_world(an_answer_that_has_begun_is_not_upgraded),
      in_world(who_leaves_is_told_of),
      in_world(frames_that_come_with_the_request_count),
      in_world(bytes_that_come_together_are_told_together),
      in_world(garbage_ends_the_connection_with_a_word),
      in_world(a_half_closed_client_has_left),
      in_world(what_waits_for_a_client_is_bounded),
      in_world(room_is_told_of),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
