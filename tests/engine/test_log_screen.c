// What terminals show, as it is read: who sees it, who comes later, who has no room.
#include "log_world.h"

#include "proc/pty.h"

enum { SHOWN_MAX = 256 * 1024 };

struct seen {
  char bytes[SHOWN_MAX];
  size_t size;
  size_t enough; // from so many bytes on `answer` is the answer: a terminal's come in pieces
  enum log_view_result answer;
};

static enum log_view_result show(void *context, uint64_t id, const char *bytes, size_t size) {
  struct seen *seen = context;
  (void)id;
  assert_true(seen->size + size < SHOWN_MAX);
  memcpy(seen->bytes + seen->size, bytes, size);
  seen->size += size;
  seen->bytes[seen->size] = '\0';
  return seen->size < seen->enough ? LOG_VIEW_GOES_ON : seen->answer;
}

static struct seen *seen_new(void) {
  return calloc(1, sizeof(struct seen));
}

static struct log_viewer viewer_of(struct seen *seen, uint64_t id) {
  return (struct log_viewer){.id = id, .show = show, .context = seen};
}

// A terminal of the log's: the program's end of it, without changes to what is written.
static int terminal_of(struct log_world *world, uint64_t log, int *ours) {
  int fds[2];
  assert_int_equal(pty_open(fds), 0);
  fcntl(fds[0], F_SETFL, O_RDWR | O_NONBLOCK);
  assert_int_equal(logs_attach(world->logs, log, 1, fds[0], 1, true), 0);
  *ours = fds[0];
  return fds[1];
}

static int terminal(struct log_world *world, uint64_t log) {
  int ours;
  return terminal_of(world, log, &ours);
}

struct seen_wait {
  struct seen *seen;
  size_t size;
};

static bool has_seen(void *context) {
  struct seen_wait *wait = context;
  return wait->seen->size >= wait->size;
}

static bool until_seen(struct log_world *world, struct seen *seen, size_t size) {
  struct seen_wait wait = {seen, size};
  return net_turn_until(&world->turn, has_seen, &wait, 60000);
}

static void what_is_shown_is_seen_before_its_line_is_whole(void **state) {
  struct log_world *world = *state;
  struct seen *seen = seen_new();
  struct log_viewer viewer = viewer_of(seen, 7);
  char recent[LOGS_RECENT];
  uint64_t lost, log = log_world_log(world, "sh", 0, 1);
  int fd = terminal(world, log);
  assert_int_equal(logs_view(world->logs, log, &viewer, recent, &lost), 0);
  log_world_put(fd, "$ ");
  assert_true(until_seen(world, seen, 2));
  struct log_stat stat;
  logs_stat(world->logs, log, &stat);
  assert_int_equal(stat.size_bytes + stat.queued_bytes, 0);
  log_world_put(fd, "\x1b[1mx\n");
  assert_true(log_world_until(world, log, 9, 60000));
  assert_string_equal(seen->bytes, "$ \x1b[1mx\r\n");
  char *file = log_world_read(world, "sh.log", NULL);
  assert_string_equal(file, "$ \x1b[1mx\r\n");
  free(file);
  close(fd);
  free(seen);
}

static void who_comes_later_gets_the_last_of_it_first(void **state) {
  struct log_world *world = *state;
  struct seen *seen = seen_new();
  struct log_viewer viewer = viewer_of(seen, 7);
  char recent[LOGS_RECENT], line[101];
  uint64_t lost, log = log_world_log(world, "sh", 0, 1);
  int fd = terminal(world, log);
  memset(line, 'x', sizeof line);
  line[98] = '\n';
  line[99] = '\0'; // 100 bytes where it is shown
  for (int i = 0; i < 300; i++) {
    log_world_put(fd, line);
    assert_true(log_world_until(world, log, (uint64_t)(i + 1) * 100, 60000));
  }
  log_world_put(fd, "last");
  log_world_turn(world, 20);
  assert_int_equal(logs_view(world->logs, log, &viewer, recent, &lost), LOGS_RECENT);
  assert_int_equal(lost, 0);
  assert_memory_equal(recent + LOGS_RECENT - 7, "x\r\nlast", 7);
  assert_int_equal(seen->size, 0);
  log_world_put(fd, "!");
  assert_true(until_seen(world, seen, 1));
  close(fd);
  free(seen);
}

static void who_has_no_room_is_told_what_it_missed(void **state) {
  struct log_world *world = *state;
  struct seen *seen = seen_new();
  struct log_viewer viewer = viewer_of(seen, 7);
  char recent[LOGS_RECENT];
  uint64_t lost = 1, log = log_world_log(world, "sh", 0, 1);
  int fd = terminal(world, log);
  logs_view(world->logs, log, &viewer, recent, &lost);
  seen->enough = 5;
  seen->answer = LOG_VIEW_HOLDS;
  log_world_put(fd, "one\n");
  assert_true(until_seen(world, seen, 5));
  log_world_put(fd, "two\n");
  assert_true(log_world_until(world, log, 10, 60000));
  assert_string_equal(seen->bytes, "one\r\n");
  // a little: nothing is lost
  assert_int_equal(logs_view(world->logs, log, &viewer, recent, &lost), 5);
  assert_memory_equal(recent, "two\r\n", 5);
  assert_int_equal(lost, 0);
  // more than is kept
  seen->enough = 10;
  log_world_put(fd, "now\n");
  assert_true(until_seen(world, seen, 10));
  for (int i = 0; i < LOGS_RECENT / 10 + 100; i++) {
    log_world_put(fd, "12345678\n");
    if (i % 100 == 0) log_world_turn(world, 5);
  }
  assert_true(log_world_until(world, log, 15 + (uint64_t)(LOGS_RECENT / 10 + 100) * 10, 60000));
  assert_int_equal(logs_view(world->logs, log, &viewer, recent, &lost), LOGS_RECENT);
  assert_int_equal(lost, (LOGS_RECENT / 10 + 100) * 10 - LOGS_RECENT);
  assert_int_equal(seen->size, 10);
  close(fd);
  free(seen);
}

static void a_viewer_may_go_and_another_see_the_next_terminal(void **state) {
  struct log_world *world = *state;
  struct seen *first = seen_new(), *second = seen_new();
  struct log_viewer viewers[] = {viewer_of(first, 7), viewer_of(second, 8)};
  char recent[LOGS_RECENT];
  uint64_t lost, log = log_world_log(world, "sh", 0, 1);
  for (int i = 0; i < 2; i++) logs_view(world->logs, log, &viewers[i], recent, &lost);
  first->enough = 3;
  first->answer = LOG_VIEW_ENDS;
  int fd = terminal(world, log);
  log_world_put(fd, "a\n");
  assert_true(until_seen(world, second, 3));
  close(fd);
  fd = terminal(world, log);
  log_world_put(fd, "b\n");
  assert_true(until_seen(world, second, 6));
  assert_string_equal(first->bytes, "a\r\n");
  assert_string_equal(second->bytes, "a\r\nb\r\n");
  logs_unview(world->logs, log, 8);
  logs_unview(world->logs, log, 9); // nobody
  log_world_put(fd, "c\n");
  assert_true(log_world_until(world, log, 9, 60000));
  assert_int_equal(second->size, 6);
  assert_int_equal(logs_view(world->logs, log + 100, &viewers[0], recent, &lost), -ENOENT);
  close(fd);
  free(first);
  free(second);
}

// Nobody is at the other end any more: that is an end like any other.
static void the_end_of_a_terminal_ends_its_reading(void **state) {
  struct log_world *world = *state;
  bool in_time = false;
  for (int tries = 0; tries < 40 && !in_time; tries++) { // a busy machine may be late now and then
    char name[16];
    snprintf(name, sizeof name, "sh%d", tries);
    uint64_t log = log_world_log(world, name, 0, 1);
    int ours, fd = terminal_of(world, log, &ours);
    log_world_put(fd, "bye");
    close(fd);
    in_time = log_world_until(world, log, 3, 200); // not held for its newline's sake
    assert_true(log_world_until(world, log, 3, 60000));
    for (int turns = 0; turns < 3000 && isatty(ours); turns++) log_world_turn(world, 20);
    assert_false(isatty(ours)); // closed: it would be readable for ever
  }
  assert_true(in_time);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, log_world_open, log_world_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_world(what_is_shown_is_seen_before_its_line_is_whole),
      with_world(who_comes_later_gets_the_last_of_it_first),
      with_world(who_has_no_room_is_told_what_it_missed),
      with_world(a_viewer_may_go_and_another_see_the_next_terminal),
      with_world(the_end_of_a_terminal_ends_its_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
