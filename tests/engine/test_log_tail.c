// Following logs: prefixed lines, merged in order of time, byte for byte, through rotation.
#include <poll.h>
#include <signal.h>
#include <sys/file.h>

#include "log/clock.h"
#include "log/tail.h"
#include "log_world.h"

struct tail_world {
  struct log_world *log;
  struct tails *tails;
  int fd; // where the output can be read
};

static struct tail_world world;

static int open_world(void **state) {
  log_world_open(state);
  world.log = *state;
  int fds[2];
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
  world.fd = fds[0];
  world.tails = tails_create_fd(&world.log->turn.loop, fds[1]);
  return 0;
}

static int close_world(void **state) {
  tails_destroy(world.tails);
  if (world.fd >= 0) close(world.fd);
  return log_world_close(state);
}

static uint64_t tail(const char *name, const char *prefix, bool from_end) {
  uint64_t id;
  struct tail_options options = {.dir = world.log->dir,
                                 .name = name,
                                 .prefix = prefix,
                                 .err_prefix = "E ",
                                 .from_end = from_end};
  assert_int_equal(tails_open(world.tails, &options, &id, NULL), 0);
  return id;
}

// Times are in microseconds: two things that follow each other may have the same one.
static void put(uint64_t log, int stream, const char *text) {
  usleep(2);
  assert_int_equal(logs_write(world.log->logs, log, stream, text, strlen(text)), 0);
  assert_true(logs_flush(world.log->logs, 60000));
}

static bool has_event(uint64_t id, enum event_kind kind) {
  for (unsigned i = 0; i < world.log->count; i++)
    if (world.log->ids[i] == id && world.log->kinds[i] == kind) return true;
  return false;
}

static uint64_t awaited;
static bool drained(void *context) {
  (void)context;
  return has_event(awaited, EV_DRAIN);
}

static void drain(void) {
  awaited = tails_drain(world.tails);
  assert_true(net_turn_until(&world.log->turn, drained, NULL, 60000));
}

// All that has been written so far.
static const char *output(void) {
  static char text[65536];
  ssize_t size = 0;
  while (poll(&(struct pollfd){.fd = world.fd, .events = POLLIN}, 1, 0) > 0) {
    ssize_t count = read(world.fd, text + size, sizeof text - 1 - (size_t)size);
    if (count <= 0) break;
    size += count;
  }
  text[size] = '\0';
  return text;
}

static void lines_of_several_logs_come_in_the_order_of_time(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 0, 2), b = log_world_log(world.log, "b", 0, 2);
  tail("a", "a | ", false);
  tail("b", "b | ", false);
  tail("missing", "m | ", false);
  put(a, 1, "one\n");
  put(b, 1, "two\nthree\n");
  put(a, 2, "four\n");
  put(b, 1, "five\n");
  tails_say(world.tails, "said\n", 5, 0);
  put(a, 1, "six\n");
  drain();
  assert_string_equal(output(), "a | one\nb | two\nb | three\nE four\nb | five\nsaid\na | six\n");
  uint64_t c = log_world_log(world.log, "missing", 0, 2);
  put(c, 1, "now here\n");
  drain();
  assert_string_equal(output(), "m | now here\n");
}

static void text_can_be_said_as_of_a_time_that_is_past(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 0, 2);
  tail("a", "a | ", false);
  put(a, 1, "before\n");
  uint64_t then_us = clock_mono_us();
  put(a, 1, "behind\n");
  usleep(2);
  tails_say(world.tails, "now\n", 4, 0);
  drain();
  assert_string_equal(output(), "a | before\na | behind\nnow\n");
  put(a, 1, "later\n");
  tails_say(world.tails, "then\n", 5, then_us);
  drain();
  assert_string_equal(output(), "then\na | later\n");
}

static void a_tail_from_the_end_shows_only_what_comes(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 0, 2);
  put(a, 1, "before\n");
  uint64_t id = tail("a", "", true);
  drain();
  assert_string_equal(output(), "");
  put(a, 1, "behind\n");
  tails_wake(world.tails, id);
  assert_int_equal(poll(&(struct pollfd){.fd = world.fd, .events = POLLIN}, 1, 60000), 1);
  assert_string_equal(output(), "behind\n");
  put(a, 1, "last\n");
  tails_close(world.tails, id);
  put(a, 1, "not any more\n");
  drain();
  assert_string_equal(output(), "last\n");
}

static void an_unterminated_line_is_not_mixed_with_others(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 0, 2), b = log_world_log(world.log, "b", 0, 2);
  tail("a", "a | ", false);
  tail("b", "b | ", false);
  put(a, 1, "Pass");
  put(a, 1, "word: ");
  drain();
  assert_string_equal(output(), "a | Password: ");
  put(a, 1, "ok\nhalf");
  put(b, 1, "whole\n");
  put(a, 1, " and half\n");
  drain();
  assert_string_equal(output(), "ok\na | half\nb | whole\na |  and half\n");
  tails_style(world.tails, true);
  put(a, 1, "half");
  put(b, 1, "whole\n");
  drain();
  assert_string_equal(output(), "a | half \\\nb | whole\n");
}

struct styled {
  const char *sent, *raw, *escaped;
};

static void control_sequences_are_shown_to_a_terminal_and_colours_stay(void **state) {
  (void)state;
  static const struct styled table[] = {
      {"plain\ttext\n", "plain\ttext\n", "plain\ttext\n"},
      {"\x1b[1;31mred\x1b[0m\n", "\x1b[1;31mred\x1b[0m\n", "\x1b[1;31mred\x1b[0m\n"},
      {"\x1b[38:2:1:2:3mleft on\n", "\x1b[38:2:1:2:3mleft on\n",
       "\x1b[38:2:1:2:3mleft on\x1b[0m\n"},
      {"\x1b[2Jgone\n", "\x1b[2Jgone\n", "\\x1b[2Jgone\n"},
      {"\x1b]52;c;aGk=\x07\n", "\x1b]52;c;aGk=\x07\n", "\\x1b]52;c;aGk=\\x07\n"},
      {"50%\r100%\r\n", "50%\r100%\r\n", "50%\\x0d100%\r\n"},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n"},
      {"\xff\xc3(\xed\xa0\x80\n", "\xff\xc3(\xed\xa0\x80\n", "\\xff\\xc3(\\xed\\xa0\\x80\n"},
      {"\xc2\x9b"
       "2J\x7f\x01\n",
       "\xc2\x9b"
       "2J\x7f\x01\n",
       "\\xc2\\x9b2J\\x7f\\x01\n"},
      {"ends in \x1b\n", "ends in \x1b\n", "ends in \\x1b\n"},
      {"\n", "\n", "\n"},
  };
  uint64_t a = log_world_log(world.log, "a", 0, 2);
  tail("a", "", false);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    for (int escape = 0; escape < 2; escape++) {
      tails_style(world.tails, escape);
      put(a, 1, table[i].sent);
      drain();
      assert_string_equal(output(), escape ? table[i].escaped : table[i].raw);
    }
    // The same in pieces of one byte each.
    for (const char *at = table[i].sent; *at; at++) put(a, 1, (char[]){*at, '\0'});
    drain();
    assert_string_equal(output(), table[i].escaped);
  }
}

static void a_reader_that_is_far_behind_loses_nothing_by_rotation(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 2000, 1);
  uint64_t id = tail("a", "", false);
  enum { LINES = 3000 };
  char line[64];
  put(a, 1, "0\n");
  drain(); // it holds the first file from here on
  assert_string_equal(output(), "0\n");
  for (int i = 1; i < LINES; i++) {
    snprintf(line, sizeof line, "%d\n", i);
    assert_int_equal(logs_write(world.log->logs, a, 1, line, strlen(line)), 0);
    if (i % 50 == 0) assert_true(logs_flush(world.log->logs, 60000));
  }
  assert_true(logs_flush(world.log->logs, 60000));
  assert_int_equal(access(log_world_path(world.log, "a.log.5"), F_OK), 0);
  drain();
  char *text = strdup(output());
  char *at = text;
  for (int i = 1; i < LINES; i++) assert_int_equal(strtol(at, &at, 10), i);
  free(text);
  // Released, the old files go with the next rotation.
  tails_close(world.tails, id);
  drain();
  for (int i = 0; i < 500; i++) logs_write(world.log->logs, a, 1, "12345678\n", 9);
  assert_true(logs_flush(world.log->logs, 60000));
  assert_int_not_equal(access(log_world_path(world.log, "a.log.2"), F_OK), 0);
  assert_int_equal(access(log_world_path(world.log, "a.log.1"), F_OK), 0);
}

static void formatted_logs_are_shown_as_they_were_written(void **state) {
  (void)state;
  static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};
  for (int i = 0; i < 2; i++) {
    char name[] = {"xy"[i], '\0'};
    struct log_options options = {.dir = world.log->dir, .name = name, .format = formats[i]};
    uint64_t id;
    assert_int_equal(logs_open(world.log->logs, &options, &id), 0);
    tail(name, "| ", false);
    put(id, 1, "a \"word\"\nun");
    put(id, 1, "done\n");
    drain();
    assert_string_equal(output(), "| a \"word\"\n| undone\n");
  }
}

static bool written_enough(void *context) {
  struct log_stat stat;
  return logs_stat(world.log->logs, *(uint64_t *)context, &stat) == 0 && stat.size_bytes >= 4000000;
}

static void an_output_that_stands_still_keeps_nobody(void **state) {
  (void)state;
  uint64_t a = log_world_log(world.log, "a", 0, 2);
  tail("a", "> ", false);
  char *line = malloc(4000001);
  for (int i = 0; i < 4000000; i++) line[i] = i % 100 == 99 ? '\n' : 'x';
  logs_write(world.log->logs, a, 1, line, 4000000);
  assert_true(logs_flush(world.log->logs, 60000));
  uint64_t id = tails_drain(world.tails); // nobody reads
  assert_true(net_turn_until(&world.log->turn, written_enough, &a, 60000));
  log_world_turn(world.log, 50);
  assert_false(has_event(id, EV_DRAIN));
  // Then somebody does, and everything comes.
  size_t total = 0;
  char *text = malloc(5000000);
  while (total < 4080000) {
    ssize_t count = read(world.fd, text + total, 5000000 - total);
    assert_true(count > 0);
    total += (size_t)count;
  }
  for (size_t i = 0; i < 40000; i++) {
    assert_memory_equal(text + i * 102, "> ", 2);
    assert_memory_equal(text + i * 102 + 2, line, 100);
  }
  awaited = id;
  assert_true(net_turn_until(&world.log->turn, drained, NULL, 60000));
  free(text);
  free(line);
  // Left stalled again: destroying the tails must not wait for the reader.
  logs_write(world.log->logs, a, 1, "x\n", 2);
  for (int i = 0; i < 20; i++) tails_say(world.tails, (char[50000]){'y'}, 50000, 0);
  log_world_turn(world.log, 20);
}

static bool is_gone(void *context) {
  (void)context;
  return has_event(0, EV_GONE);
}

static void a_reader_that_has_left_is_told_once(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  uint64_t a = log_world_log(world.log, "a", 0, 2);
  tail("a", "", false);
  close(world.fd);
  world.fd = -1;
  put(a, 1, "anybody?\n");
  drain();
  assert_true(net_turn_until(&world.log->turn, is_gone, NULL, 60000));
  unsigned before = world.log->count;
  put(a, 1, "nobody\n");
  drain();
  assert_int_equal(world.log->count, before + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
      TEST(lines_of_several_logs_come_in_the_order_of_time),
      TEST(text_can_be_said_as_of_a_time_that_is_past),
      TEST(a_tail_from_the_end_shows_only_what_comes),
      TEST(an_unterminated_line_is_not_mixed_with_others),
      TEST(control_sequences_are_shown_to_a_terminal_and_colours_stay),
      TEST(a_reader_that_is_far_behind_loses_nothing_by_rotation),
      TEST(formatted_logs_are_shown_as_they_were_written),
      TEST(an_output_that_stands_still_keeps_nobody),
      TEST(a_reader_that_has_left_is_told_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
