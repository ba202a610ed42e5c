// Programs with a terminal of their own: what they have, what reaches them, and how it ends.
#include "proc_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct world *world;
static const struct pty_size usual = {80, 24};
static char place[] = "/tmp/pactlua-pty-XXXXXX";

static int setup(void **state) {
  (void)state;
  world = world_new(NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  world_free(world);
  return 0;
}

static struct procs_spec spec_of(const char *const *argv) {
  struct procs_spec spec = world_spec(argv);
  spec.spawn.terminal = &usual;
  return spec;
}

static uint64_t start(const char *command, pid_t *pid) {
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = spec_of(argv);
  return world_spawn(world, &spec, pid);
}

static const char *output(const char *command) {
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = spec_of(argv);
  return world_output(world, &spec);
}

// What it has shown by its end.
static const char *shown(uint64_t id) {
  struct captured *captured = &world_wait(world, id)->captured[0];
  captured->bytes = realloc(captured->bytes, captured->size + 1);
  captured->bytes[captured->size] = '\0';
  return captured->bytes;
}

static void contains(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("'%s' lacks '%s'", text, part);
}

static bool there(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", place, name);
  return access(path, F_OK) == 0;
}

static void type(uint64_t id, const char *keys) {
  assert_int_equal(procs_write(world->procs, id, keys, strlen(keys)), 0);
}

static void end(uint64_t id) {
  world_wait(world, id);
  world_sweep(world, id, (struct sweep_options){0});
}

// ---- what it has ------------------------------------------------------------------------------

static void all_three_are_its_controlling_terminal(void **state) {
  (void)state;
  assert_string_equal(output("test -t 0 && test -t 1 && test -t 2 && echo on >/dev/tty; "
                             "ps -o pid=,sid= -p $$ | { read a b; [ $a = $b ] && echo leads; }"),
                      "on\r\nleads\r\n");
}

static void it_has_the_size_that_was_asked_for(void **state) {
  (void)state;
  static const struct pty_size sizes[] = {{80, 24}, {1, 1}, {500, 200}};
  for (size_t i = 0; i < 3; i++) {
    const char *argv[] = {"stty", "size", NULL};
    char expected[32];
    struct procs_spec spec = world_spec(argv);
    spec.spawn.terminal = &sizes[i];
    snprintf(expected, sizeof expected, "%d %d\r\n", sizes[i].rows, sizes[i].columns);
    assert_string_equal(world_output(world, &spec), expected);
  }
}

static void it_understands_utf_8_and_needs_no_session_asked_for(void **state) {
  (void)state;
  const char *argv[] = {"stty", "-a", NULL};
  struct procs_spec spec = spec_of(argv);
  spec.spawn.session = false;
  contains(world_output(world, &spec), " iutf8");
}

static int descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(dir)) count++;
  closedir(dir);
  return count;
}

static void nothing_else_is_inherited_and_nothing_is_kept(void **state) {
  (void)state;
  const char *argv[] = {"ls", "-1", "/proc/self/fd", NULL};
  struct procs_spec spec = spec_of(argv);
  world_output(world, &spec);
  int before = descriptors();
  assert_string_equal(world_output(world, &spec), "0\r\n1\r\n2\r\n3\r\n");
  assert_int_equal(descriptors(), before);
}

// ---- what reaches it --------------------------------------------------------------------------

static void what_is_typed_is_echoed_and_read(void **state) {
  (void)state;
  uint64_t id = start("read line; echo got $line", NULL);
  type(id, "h\xc3\xa4\x7fllo\r"); // with a letter taken back
  contains(shown(id), "got hllo\r\n");
  contains(shown(id), "h\xc3\xa4\b \bllo\r\n");
  end(id);
}

static void ctrl_c_ends_what_runs_in_front(void **state) {
  (void)state;
  uint64_t id = start("exec sleep 1000", NULL);
  type(id, "\3");
  struct exit_event *exit = world_wait(world, id);
  assert_true(exit->signalled);
  assert_int_equal(exit->code, SIGINT);
  end(id);
}

static void a_new_size_is_told(void **state) {
  (void)state;
  uint64_t id = start("trap 'stty size; n=$((n+1)); : >told$n' WINCH; : >begun; n=0; "
                      "while [ $n -lt 2 ]; do sleep 0.01; done",
                      NULL);
  struct pty_size other = {101, 31};
  world_until(world, there("begun"));
  assert_int_equal(procs_resize(world->procs, id, &other), 0);
  world_until(world, there("told1"));
  // the same once more: whoever has come anew wants to see it all
  assert_int_equal(procs_resize(world->procs, id, &other), 0);
  contains(shown(id), "31 101\r\n31 101\r\n");
  end(id);
  unlink("begun");
  unlink("told1");
  unlink("told2");
}

static void only_a_terminal_has_a_size(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "read x", NULL);
  assert_int_equal(procs_resize(world->procs, id, &usual), -ENOTTY);
  procs_close_stdin(world->procs, id);
  end(id);
  assert_int_equal(procs_resize(world->procs, id, &usual), -ENOENT);
}

static void who_reads_nothing_holds_nobody_up(void **state) {
  (void)state;
  uint64_t id = start("stty raw -echo; : >begun; exec sleep 1000", NULL);
  static char keys[64 * 1024];
  memset(keys, 'x', sizeof keys);
  world_until(world, there("begun"));
  int result = 0;
  for (int i = 0; i < 64 && result == 0; i++) {
    result = procs_write(world->procs, id, keys, sizeof keys);
    world_step(world);
  }
  assert_int_equal(result, -ENOBUFS);
  procs_signal(world->procs, id, SIGKILL, PROCS_GROUP);
  end(id);
  unlink("begun");
}

// ---- its end ----------------------------------------------------------------------------------

static void all_that_was_written_is_there(void **state) {
  (void)state;
  const char *text = output("seq 1 30000");
  assert_int_equal(strlen(text), 30000 + 168894);
  contains(text, "\r\n29999\r\n30000\r\n");
}

// Fault 11.
static void what_is_left_behind_is_told_that_nobody_listens(void **state) {
  (void)state;
  uint64_t id = start("trap '' HUP; setsid sh -c ': >begun; while echo x; do sleep 0.01; done "
                      "2>/dev/null; : >refused' & until [ -e begun ]; do sleep 0.01; done",
                      NULL);
  world_wait(world, id);
  world_until(world, there("refused"));
  world_sweep(world, id, (struct sweep_options){0});
  world_until(world, !world_has_children());
  unlink("begun");
  unlink("refused");
}

static void after_its_end_nothing_can_be_typed(void **state) {
  (void)state;
  uint64_t id = start("exit 3", NULL);
  assert_int_equal(world_wait(world, id)->code, 3);
  assert_int_equal(procs_write(world->procs, id, "x", 1), -EPIPE);
  end(id);
}

// ---- where none is to be had ------------------------------------------------------------------

static int error_of_pty;

static int no_pty(int fds[2]) {
  (void)fds;
  return -error_of_pty;
}

static void it_is_said_why_there_is_none(void **state) {
  (void)state;
  static const struct {
    int error;
    const char *words;
  } cases[] = {
      {ENOSPC, "terminal: No space left on device (no more are to be had: kernel.pty.max)"},
      {ENOENT, "terminal: No such file or directory (is /dev/pts mounted"},
      {EMFILE, "terminal: Too many open files"},
  };
  struct kernel kernel = kernel_linux;
  kernel.pty = no_pty;
  struct world *poor = world_new(&kernel);
  for (size_t i = 0; i < 3; i++) {
    const char *argv[] = {"true", NULL};
    struct procs_spec spec = spec_of(argv);
    struct spawn_failure failure;
    uint64_t id;
    pid_t pid;
    error_of_pty = cases[i].error;
    assert_int_equal(procs_spawn(poor->procs, &spec, &id, &pid, &failure), -cases[i].error);
    assert_int_equal(failure.step, STAGE_STDIO);
    contains(failure.message, cases[i].words);
  }
  world_free(poor);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      in_world(all_three_are_its_controlling_terminal),
      in_world(it_has_the_size_that_was_asked_for),
      in_world(it_understands_utf_8_and_needs_no_session_asked_for),
      in_world(nothing_else_is_inherited_and_nothing_is_kept),
      in_world(what_is_typed_is_echoed_and_read),
      in_world(ctrl_c_ends_what_runs_in_front),
      in_world(a_new_size_is_told),
      in_world(only_a_terminal_has_a_size),
      in_world(who_reads_nothing_holds_nobody_up),
      in_world(all_that_was_written_is_there),
      in_world(what_is_left_behind_is_told_that_nobody_listens),
      in_world(after_its_end_nothing_can_be_typed),
      in_world(it_is_said_why_there_is_none),
  };
  if (!mkdtemp(place) || chdir(place) < 0) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return chdir("/") < 0 || rmdir(place) < 0 ? 1 : failed;
}
