// Lines that are typed: where they stand on the terminal, and how they are read from one or from a
// pipe.
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "net_turn.h"
#include "tty/edit.h"
#include "tty/edit_api.h"
#include "tty/edit_layout.h"

#ifdef __SANITIZE_ADDRESS__
// libtinfo keeps what it read of the terminal, and forgets where when it reads it again.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libtinfo";
}
#endif

// ---- layout

struct placed {
  const char *prompt, *text;
  size_t columns, row, column;
};

static const struct placed places[] = {
    {"> ", "", 10, 0, 2},           {"> ", "abc", 10, 0, 5},
    {"> ", "abcdefgh", 10, 1, 0}, // the cursor stands on the next row already
    {"> ", "abcdefghi", 10, 1, 1},  {"\1\x1b[1m\1>\1\x1b[0m\1 ", "abc", 10, 0, 5},
    {"\1\x1b[1m", "abc", 10, 0, 3}, // never closed
    {"> ", "größe", 10, 0, 7},      {"> ", "日本", 10, 0, 6},
    {"> ", "1234567日", 10, 1, 2}, // doesn't fit, goes to the next row as a whole
    {"> ", "a\nbc", 10, 1, 2},      {"> ", "\t", 20, 0, 8},
    {"> ", "\x01", 10, 0, 4},       {"> ", "\xff", 10, 0, 3},
    {"> ", "abc", 0, 5, 0}, // no width is known
};

static void places_are_those_of_a_terminal(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    const struct placed *it = &places[i];
    struct edit_place place = edit_layout(it->prompt, it->text, strlen(it->text), it->columns);
    if (place.row == it->row && place.column == it->column) continue;
    fail_msg("%zu: row %zu, column %zu", i, place.row, place.column);
  }
}

// ---- reading

static struct world {
  struct net_turn turn;
  struct edit *edit;
  int saved[2], far_in,
      far_out; // what is typed goes into far_in, what is shown comes out of far_out
  int events;
  enum edit_what what;
  char text[256], shown[65536];
  size_t cursor, shown_size;
} * world;

static void deliver(struct event *event, void *context) {
  (void)context;
  const struct edit_event *edit = (const struct edit_event *)event;
  world->events++;
  world->what = edit->what;
  world->cursor = edit->cursor;
  snprintf(world->text, sizeof world->text, "%s", edit->text);
}

static void place_as_standard(int in_fd, int out_fd) {
  fflush(NULL);
  dup2(in_fd, STDIN_FILENO);
  dup2(out_fd, STDOUT_FILENO);
}

static int setup(void **state) {
  signal(SIGPIPE, SIG_IGN);
  world = *state = calloc(1, sizeof *world);
  world->saved[0] = dup(STDIN_FILENO);
  world->saved[1] = dup(STDOUT_FILENO);
  net_turn_init(&world->turn, deliver, NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  edit_destroy(world->edit);
  place_as_standard(world->saved[0], world->saved[1]);
  close(world->saved[0]);
  close(world->saved[1]);
  close(world->far_in);
  if (world->far_out != world->far_in) close(world->far_out);
  net_turn_finish(&world->turn);
  free(world);
  return 0;
}

static void open_edit(bool editing) {
  const char *why = NULL;
  uint64_t id;
  int error = edit_open(&world->turn.loop, editing, &world->edit, &id, &why);
  if (error) fail_msg("%s", why ? why : strerror(-error));
}

static void open_pipes(void) {
  int in[2], out[2];
  assert_int_equal(pipe(in), 0);
  assert_int_equal(pipe(out), 0);
  place_as_standard(in[0], out[1]);
  close(in[0]);
  close(out[1]);
  world->far_in = in[1];
  world->far_out = out[0];
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  open_edit(false);
}

static void open_terminal(void) {
  int master, slave;
  struct winsize size = {.ws_col = 40, .ws_row = 10};
  setenv("TERM", "xterm", 1);
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  place_as_standard(slave, slave);
  close(slave);
  world->far_in = world->far_out = master;
  fcntl(master, F_SETFL, O_NONBLOCK);
  open_edit(true);
}

static void type(const char *text) {
  assert_int_equal(write(world->far_in, text, strlen(text)), strlen(text));
}

static void read_shown(void) {
  char *at = world->shown + world->shown_size;
  ssize_t count = read(world->far_out, at, sizeof world->shown - 1 - world->shown_size);
  if (count > 0) world->shown_size += (size_t)count;
}

static bool is_shown(void *text) {
  read_shown();
  return strstr(world->shown, text) != NULL;
}

static void forget_shown(void) {
  memset(world->shown, 0, sizeof world->shown);
  world->shown_size = 0;
}

static void expect_shown(const char *text) {
  if (!net_turn_until(&world->turn, is_shown, (void *)text, 60000))
    fail_msg("'%s' isn't in '%s'", text, world->shown);
}

static bool told(void *context) {
  read_shown();
  return world->events >= *(int *)context;
}

static void expect(enum edit_what what, const char *text) {
  int one = 1;
  assert_true(net_turn_until(&world->turn, told, &one, 60000));
  assert_int_equal(world->what, what);
  assert_string_equal(world->text, text);
  world->events = 0;
}

static void lines_of_a_pipe_come_as_they_are(void **state) {
  (void)state;
  open_pipes();
  type("one\n\ntwo \xc3\xb6\nthe rest");
  edit_read(world->edit, "");
  expect(EDIT_LINE, "one");
  edit_read(world->edit, "");
  expect(EDIT_LINE, "");
  edit_read(world->edit, "? ");
  expect(EDIT_LINE, "two \xc3\xb6");
  expect_shown("? ");
  edit_read(world->edit, "");
  close(world->far_in);
  world->far_in = -1;
  expect(EDIT_LINE, "the rest");
  edit_read(world->edit, "");
  expect(EDIT_END, "");
  edit_read(world->edit, "");
  expect(EDIT_END, "");
}

static void a_line_that_is_given_up_makes_no_event(void **state) {
  (void)state;
  open_pipes();
  assert_false(edit_cancel(world->edit, ""));
  for (int i = 0; i < 20; i++) {
    edit_read(world->edit, "> ");
    if (i % 2) expect_shown("> ");
    assert_true(edit_cancel(world->edit, "^C"));
  }
  edit_read(world->edit, "");
  type("typed just before\n");
  usleep(20000); // where the thread isn't that quick, it is a line that is asked for
  edit_cancel(world->edit, "^C");
  int one = 1;
  assert_false(net_turn_until(&world->turn, told, &one, 50));
}

static void what_is_written_is_written_at_once_where_nothing_is_edited(void **state) {
  (void)state;
  open_pipes();
  edit_read(world->edit, "");
  assert_int_equal(edit_write(world->edit, "said\n", 5), 0);
  expect_shown("said\n");
  close(world->far_out);
  world->far_out = -1;
  assert_int_equal(edit_write(world->edit, "said\n", 5), -EPIPE);
}

static void keys_edit_a_line(void **state) {
  (void)state;
  open_terminal();
  edit_read(world->edit, "> ");
  expect_shown("> ");
  type("gr\xc3\xb6\xc3\x9f");
  expect_shown("gr\xc3\xb6\xc3\x9f");
  type("e\x7f!\x01<\n"); // backspace, to the beginning
  expect(EDIT_LINE, "<gr\xc3\xb6\xc3\x9f!");
  edit_remember(world->edit, "earlier");
  edit_read(world->edit, "> ");
  type("\x1b[A\n");
  expect(EDIT_LINE, "earlier");
  forget_shown();
  edit_read(world->edit, "? ");
  expect_shown("? ");
  type("\x04");
  expect(EDIT_END, "");
}

static void tab_asks_and_is_answered(void **state) {
  (void)state;
  open_terminal();
  edit_read(world->edit, "> ");
  type("x.\xc3\xb6\t");
  expect(EDIT_TAB, "x.\xc3\xb6");
  assert_int_equal(world->cursor, 4);
  assert_false(edit_complete(world->edit, "y.", 1, "no"));
  assert_true(edit_complete(world->edit, "x.\xc3\xb6", 1, "\xc3\xb6l()"));
  expect_shown("\xc3\xb6l()");
  type("\n");
  expect(EDIT_LINE, "x.\xc3\xb6l()");
  assert_false(edit_complete(world->edit, "", 0, "no"));
}

static void what_is_written_goes_above_the_line(void **state) {
  (void)state;
  open_terminal();
  edit_read(world->edit, "> ");
  expect_shown("> ");
  type("a line that takes more than one row of forty");
  expect_shown("forty");
  forget_shown();
  assert_int_equal(edit_write(world->edit, "said\nand said", 13), 0);
  expect_shown("forty");
  assert_non_null(strstr(world->shown, "\x1b[1A")); // to the row with the prompt
  assert_non_null(strstr(world->shown, "said\r\nand said\r\n"));
  assert_non_null(strstr(world->shown, "> a line that"));
  type("!\n");
  expect(EDIT_LINE, "a line that takes more than one row of forty!");
}

static void what_is_pasted_is_text(void **state) {
  (void)state;
  open_terminal();
  edit_read(world->edit, "> ");
  type("\x1b[200~a\tb\x01\rc\x1b[201~\t");
  expect(EDIT_LINE, "a b");
  edit_read(world->edit, "> ");
  expect(EDIT_TAB, "c");
}

static void the_terminal_gets_its_modes_back(void **state) {
  (void)state;
  struct termios before, raw, after;
  open_terminal();
  assert_int_equal(tcgetattr(STDIN_FILENO, &before), 0);
  edit_read(world->edit, "> ");
  expect_shown("> ");
  tcgetattr(STDIN_FILENO, &raw);
  assert_false(raw.c_lflag & ICANON);
  edit_destroy(world->edit);
  world->edit = NULL;
  tcgetattr(STDIN_FILENO, &after);
  assert_int_equal(before.c_lflag, after.c_lflag);
  assert_int_equal(before.c_iflag, after.c_iflag);
  assert_int_equal(before.c_oflag, after.c_oflag);
}

int main(void) {
  const char *why;
  const struct CMUnitTest always[] = {
      cmocka_unit_test(places_are_those_of_a_terminal),
      cmocka_unit_test_setup_teardown(lines_of_a_pipe_come_as_they_are, setup, teardown),
      cmocka_unit_test_setup_teardown(a_line_that_is_given_up_makes_no_event, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_written_is_written_at_once_where_nothing_is_edited,
                                      setup, teardown),
  };
  const struct CMUnitTest editing[] = {
      cmocka_unit_test_setup_teardown(keys_edit_a_line, setup, teardown),
      cmocka_unit_test_setup_teardown(tab_asks_and_is_answered, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_written_goes_above_the_line, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_pasted_is_text, setup, teardown),
      cmocka_unit_test_setup_teardown(the_terminal_gets_its_modes_back, setup, teardown),
  };
  int failed = cmocka_run_group_tests(always, NULL, NULL);
  if (!edit_api_get(&why)) return failed; // no libedit here
  return failed + cmocka_run_group_tests(editing, NULL, NULL);
}
