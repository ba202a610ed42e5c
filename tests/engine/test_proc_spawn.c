// Starting programs: what they get, how their end is told, and what is said when they can't start.
#include "proc_world.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct world *world;

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

static const char *shell_output(const char *command) {
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = world_spec(argv);
  return world_output(world, &spec);
}

static void exit_codes_are_told(void **state) {
  (void)state;
  static const int codes[] = {0, 1, 7, 255};
  for (size_t i = 0; i < 4; i++) {
    char command[32];
    snprintf(command, sizeof command, "exit %d", codes[i]);
    uint64_t id = world_shell(world, command, NULL);
    struct exit_event *exit = world_wait(world, id);
    assert_false(exit->signalled);
    assert_int_equal(exit->code, codes[i]);
    assert_true(exit->maxrss_bytes > 100000);
    assert_int_equal(world_sweep(world, id, (struct sweep_options){0})->killed, 0);
  }
}

static void signals_that_end_are_told(void **state) {
  (void)state;
  static const int signals[] = {SIGTERM, SIGKILL, SIGINT, SIGPIPE};
  for (size_t i = 0; i < 4; i++) {
    char command[32];
    snprintf(command, sizeof command, "kill -%d $$", signals[i]);
    uint64_t id = world_shell(world, command, NULL);
    struct exit_event *exit = world_wait(world, id);
    assert_true(exit->signalled);
    assert_int_equal(exit->code, signals[i]);
    world_sweep(world, id, (struct sweep_options){0});
  }
}

static void processor_time_is_told(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done", NULL);
  struct exit_event *exit = world_wait(world, id);
  assert_true(exit->utime_ms + exit->stime_ms >= 10);
  world_sweep(world, id, (struct sweep_options){0});
}

// ---- what can't be started --------------------------------------------------------------------

static struct spawn_failure failure;

static void refused(const struct procs_spec *spec, int error, enum stage_step step,
                    const char *words) {
  uint64_t id = 0;
  pid_t pid;
  assert_int_equal(procs_spawn(world->procs, spec, &id, &pid, &failure), -error);
  assert_int_equal(failure.error, error);
  assert_int_equal(failure.step, step);
  if (!strstr(failure.message, words)) fail_msg("'%s' lacks '%s'", failure.message, words);
  assert_false(world_has_children());
}

static void refused_program(const char *program, int error, const char *words) {
  const char *argv[] = {program, NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.cwd = "/tmp";
  refused(&spec, error, STAGE_EXEC, words);
}

static char directory[] = "/tmp/proc_spawn_XXXXXX";

static const char *file(const char *name, const char *text, mode_t mode) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  chmod(path, mode);
  return path;
}

static void a_program_that_is_not_there_is_named(void **state) {
  (void)state;
  refused_program("no-such-program", ENOENT, "exec 'no-such-program': not found on PATH");
  refused_program("/no/such/program", ENOENT, "exec '/no/such/program': No such file");
  refused_program("", ENOENT, "empty");
  refused_program("/etc/passwd/x", ENOTDIR, "Not a directory");
}

static void a_file_that_may_not_be_executed_is_named(void **state) {
  (void)state;
  refused_program(file("plain", "text", 0644), EACCES, "can't be executed");
  refused_program(directory, EACCES, "is a directory");
}

static void a_forbidden_program_on_the_path_is_told_from_a_missing_one(void **state) {
  (void)state;
  file("forbidden", "#!/bin/sh\n", 0644);
  const char *argv[] = {"forbidden", NULL};
  struct procs_spec spec = world_spec(argv);
  char path[128];
  snprintf(path, sizeof path, "/nowhere:%s:/bin", directory);
  spec.spawn.path = path;
  refused(&spec, EACCES, STAGE_EXEC, directory);
}

static void a_format_that_can_not_run_is_explained(void **state) {
  (void)state;
  refused_program(file("noshebang", "echo hi\n", 0755), ENOEXEC, "has no #! line");
  refused_program(file("empty", "", 0755), ENOEXEC, "empty file");
  refused_program(file("elf", "\177ELF\002\001\001", 0755), ENOEXEC, "another kind of machine");
  refused_program(file("crlf", "#!/bin/sh\r\necho hi\r\n", 0755), ENOENT, "CR LF");
  refused_program(file("lost", "#!/no/such/shell\n", 0755), ENOENT, "'/no/such/shell'");
}

static void a_file_that_is_written_to_is_busy(void **state) {
  (void)state;
  const char *path = file("busy", "#!/bin/sh\n", 0755);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  refused_program(path, ETXTBSY, "busy");
  close(fd);
}

static void arguments_that_are_too_large_are_told(void **state) {
  (void)state;
  size_t size = 4 * 1024 * 1024;
  char *large = malloc(size);
  memset(large, 'x', size);
  large[size - 1] = '\0';
  const char *argv[] = {"true", large, NULL};
  struct procs_spec spec = world_spec(argv);
  refused(&spec, E2BIG, STAGE_EXEC, "too large");
  free(large);
}

static void a_directory_that_is_not_there_is_named(void **state) {
  (void)state;
  const char *argv[] = {"true", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.cwd = "/x/y";
  refused(&spec, ENOENT, STAGE_CWD, "cwd '/x/y': no such directory");
  spec.spawn.cwd = "/etc/passwd";
  refused(&spec, ENOTDIR, STAGE_CWD, "cwd '/etc/passwd': Not a directory");
}

static void limits_that_may_not_be_set_are_told(void **state) {
  (void)state;
  const char *argv[] = {"true", NULL};
  struct procs_spec spec = world_spec(argv);
  struct stage_limit limit = {RLIMIT_NOFILE, {100, 50}};
  spec.spawn.limits = &limit;
  spec.spawn.limit_count = 1;
  refused(&spec, EINVAL, STAGE_LIMITS, "limits");
}

static void a_log_that_is_not_there_is_refused(void **state) {
  (void)state;
  const char *argv[] = {"true", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.stdio[1] = SPAWN_LOG;
  refused(&spec, ENOENT, STAGE_STDIO, "no log");
}

// ---- what a program gets ------------------------------------------------------------------------

static void it_has_three_descriptors_and_no_more(void **state) {
  (void)state;
  int leaked = dup(1); // not close-on-exec
  assert_string_equal(shell_output("cd /proc/self/fd; echo 0 1 2 > /dev/null; for f in *; do "
                                   "[ -e $f ] && printf '%s ' $f; done"),
                      "0 1 2 ");
  close(leaked);
}

static void it_has_the_environment_and_nothing_else(void **state) {
  (void)state;
  const char *argv[] = {"env", NULL};
  const char *env[] = {"PATH=/usr/bin:/bin", "A=1", "B=two words", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.env = env;
  assert_string_equal(world_output(world, &spec), "PATH=/usr/bin:/bin\nA=1\nB=two words\n");
}

// So many that their own numbers are among those that the child shall see, and in the wrong order.
static void listening_sockets_are_its_descriptors_from_3_on(void **state) {
  (void)state;
  enum { COUNT = 20 };
  int fds[COUNT];
  char expected[COUNT * 24 + 64];
  size_t at = 0;
  struct stat info;
  for (int i = COUNT - 1; i >= 0; i--) fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fds[COUNT - 1] < 3 + COUNT);
  for (int i = 0; i < COUNT; i++) {
    fstat(fds[i], &info);
    at += (size_t)sprintf(expected + at, "socket:[%lu]\n", (unsigned long)info.st_ino);
  }
  sprintf(expected + at, "mine\nno more\n");
  const char *argv[] = {"sh", "-c",
                        "i=3; while [ $i -lt 23 ]; do readlink /proc/$$/fd/$i; i=$((i+1)); done; "
                        "[ $LISTEN_PID = $$ ] && echo mine; "
                        "while [ $i -lt 200 ] && ! [ -e /proc/$$/fd/$i ]; do i=$((i+1)); done; "
                        "[ $i = 200 ] && echo no more",
                        NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.listen_fds = fds;
  spec.spawn.listen_count = COUNT;
  const char *output = world_output(world, &spec);
  for (int i = 0; i < COUNT; i++) close(fds[i]);
  assert_string_equal(output, expected);
  assert_string_equal(shell_output("echo \"[$LISTEN_PID]\""), "[]\n"); // the next has none
}

static void it_runs_in_its_directory(void **state) {
  (void)state;
  const char *argv[] = {"pwd", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.cwd = "/usr/share";
  assert_string_equal(world_output(world, &spec), "/usr/share\n");
}

static void a_relative_program_is_its_directorys(void **state) {
  (void)state;
  file("here", "#!/bin/sh\necho here\n", 0755);
  const char *argv[] = {"./here", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.cwd = directory;
  assert_string_equal(world_output(world, &spec), "here\n");
}

static void its_signals_are_at_their_defaults(void **state) {
  (void)state;
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &before);
  signal(SIGHUP, SIG_IGN);
  unsigned long ignore[8] = {1}; // signal 32 is the library's own, and may be ignored all the same
  syscall(SYS_rt_sigaction, 32, ignore, NULL, 8);
  const char *argv[] = {"cat", "/proc/self/status", NULL};
  struct procs_spec spec = world_spec(argv);
  const char *status = world_output(world, &spec);
  assert_non_null(strstr(status, "SigBlk:\t0000000000000000\n"));
  assert_non_null(strstr(status, "SigIgn:\t0000000000000000\n"));
  assert_non_null(strstr(status, "SigCgt:\t0000000000000000\n"));
  signal(SIGHUP, SIG_DFL);
  sigset_t now;
  sigprocmask(SIG_SETMASK, &before, &now);
  assert_true(sigismember(&now, SIGUSR1)); // ours are as they were
}

static void it_leads_a_session(void **state) {
  (void)state;
  uint64_t id;
  pid_t pid;
  struct procfs_stat stat;
  id = world_shell(world, "exec sleep 100", &pid);
  assert_int_equal(procfs_stat(&kernel_linux, pid, &stat), 0);
  assert_int_equal(stat.sid, pid);
  assert_int_equal(stat.pgid, pid);
  world_sweep(world, id, (struct sweep_options){0});
}

static void without_a_session_it_stays_in_our_group(void **state) {
  (void)state;
  const char *argv[] = {"sleep", "100", NULL};
  struct procs_spec spec = world_spec(argv);
  struct procfs_stat stat;
  pid_t pid;
  spec.spawn.session = false;
  uint64_t id = world_spawn(world, &spec, &pid);
  assert_int_equal(procfs_stat(&kernel_linux, pid, &stat), 0);
  assert_int_equal(stat.pgid, getpgrp());
  // its "group" is itself alone: we are in it too
  assert_int_equal(procs_signal(world->procs, id, SIGTERM, PROCS_GROUP), 0);
  assert_int_equal(world_wait(world, id)->code, SIGTERM);
  world_sweep(world, id, (struct sweep_options){0});
}

static void it_has_its_umask_limits_and_priority(void **state) {
  (void)state;
  const char *argv[] = {"sh", "-c",
                        "umask; ulimit -n; ulimit -c; nice; cat /proc/self/oom_score_adj", NULL};
  struct procs_spec spec = world_spec(argv);
  struct stage_limit limits[] = {{RLIMIT_NOFILE, {77, 99}}, {RLIMIT_CORE, {0, 0}}};
  spec.spawn.limits = limits;
  spec.spawn.limit_count = 2;
  spec.spawn.umask = 027;
  spec.spawn.set_nice = spec.spawn.set_oom_score_adj = true;
  spec.spawn.nice = 5;
  spec.spawn.oom_score_adj = 200;
  assert_string_equal(world_output(world, &spec), "0027\n77\n0\n5\n200\n");
}

static void it_has_the_limit_of_descriptors_that_we_were_started_with(void **state) {
  (void)state;
  struct rlimit ours;
  getrlimit(RLIMIT_NOFILE, &ours);
  struct rlimit low = {64, ours.rlim_max};
  struct loop loop;
  setrlimit(RLIMIT_NOFILE, &low);
  struct world *other = world_new(NULL);
  struct rlimit raised;
  getrlimit(RLIMIT_NOFILE, &raised);
  const char *argv[] = {"sh", "-c", "ulimit -n", NULL};
  struct procs_spec spec = world_spec(argv);
  assert_string_equal(world_output(other, &spec), "64\n");
  assert_int_equal(raised.rlim_cur, ours.rlim_max);
  world_free(other);
  setrlimit(RLIMIT_NOFILE, &ours);
  (void)loop;
}

static void it_runs_as_another_user(void **state) {
  (void)state;
  if (geteuid() != 0) skip();
  const char *argv[] = {"sh", "-c", "id -u; id -g; id -G; grep SigBlk /proc/self/status | cut -f2",
                        NULL};
  struct procs_spec spec = world_spec(argv);
  gid_t groups[] = {65534, 12};
  spec.spawn.set_user = spec.spawn.set_group = spec.spawn.set_groups = true;
  spec.spawn.uid = 65534;
  spec.spawn.gid = 65534;
  spec.spawn.groups = groups;
  spec.spawn.group_count = 2;
  assert_string_equal(world_output(world, &spec), "65534\n65534\n65534 12\n0000000000000000\n");
  assert_int_equal(geteuid(), 0);
}

static void its_user_decides_what_it_may_enter(void **state) {
  (void)state;
  if (geteuid() != 0) skip();
  const char *argv[] = {"true", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.set_user = true;
  spec.spawn.uid = 65534;
  spec.spawn.cwd = "/root";
  chmod("/root", 0700);
  refused(&spec, EACCES, STAGE_CWD, "cwd '/root': Permission denied");
}

static void stdin_is_open_and_silent(void **state) {
  (void)state;
  pid_t pid;
  uint64_t id = world_shell(world, "cat; echo ended", &pid);
  for (int i = 0; i < 10; i++) world_step(world);
  assert_null(world_exit_of(world, id));
  assert_int_equal(procs_write(world->procs, id, "some words\n", 11), 0);
  assert_int_equal(procs_close_stdin(world->procs, id), 0);
  struct exit_event *exit = world_wait(world, id);
  assert_int_equal(exit->captured[0].size, 17);
  assert_memory_equal(exit->captured[0].bytes, "some words\nended\n", 17);
  assert_int_equal(procs_write(world->procs, id, "x", 1), -EPIPE);
  world_sweep(world, id, (struct sweep_options){0});
}

static void input_that_fits_no_pipe_is_written_as_it_is_read(void **state) {
  (void)state;
  size_t size = 900 * 1024;
  char *input = malloc(size);
  for (size_t i = 0; i < size; i++) input[i] = (char)('a' + i % 23);
  const char *argv[] = {"cat", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.input = input;
  spec.input_size = size;
  uint64_t id = world_spawn(world, &spec, NULL);
  struct exit_event *exit = world_wait(world, id);
  assert_int_equal(exit->captured[0].size, size);
  assert_memory_equal(exit->captured[0].bytes, input, size);
  world_sweep(world, id, (struct sweep_options){0});
  free(input);
}

static void what_waits_for_a_reader_is_bounded(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "exec sleep 100", NULL);
  char *bytes = calloc(1, PROCS_INPUT_MAX);
  assert_int_equal(procs_write(world->procs, id, bytes, PROCS_INPUT_MAX), 0);
  assert_int_equal(procs_write(world->procs, id, bytes, PROCS_INPUT_MAX), -ENOBUFS);
  assert_int_equal(procs_write(world->procs, id, bytes, 100), 0);
  free(bytes);
  world_sweep(world, id, (struct sweep_options){0});
}

static void captures_keep_the_first_bytes(void **state) {
  (void)state;
  const char *argv[] = {"sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' a; printf err >&2", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.capture_max = 1000;
  uint64_t id = world_spawn(world, &spec, NULL);
  struct exit_event *exit = world_wait(world, id);
  assert_int_equal(exit->code, 0);
  assert_true(exit->truncated);
  assert_int_equal(exit->captured[0].size, 1000);
  assert_int_equal(exit->captured[1].size, 3);
  world_sweep(world, id, (struct sweep_options){0});
}

static void an_end_is_told_though_others_hold_the_pipe(void **state) {
  (void)state;
  uint64_t start = loop_now_ms(&world->loop);
  uint64_t id = world_shell(world, "sleep 100 & echo out", NULL);
  struct exit_event *exit = world_wait(world, id);
  uint64_t took = loop_now_ms(&world->loop) - start;
  assert_in_range(took, 190, 60000); // of 100 s
  assert_int_equal(exit->captured[0].size, 4);
  assert_int_equal(world_sweep(world, id, (struct sweep_options){0})->killed, 1);
}

static void a_stop_and_its_end_are_told(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "kill -STOP $$; sleep 100", NULL);
  world_until(world, world->jobstop_count == 1);
  assert_int_equal(world->jobstops[0].signo, SIGSTOP);
  assert_true(world->jobstops[0].stopped);
  assert_int_equal(procs_signal(world->procs, id, SIGCONT, PROCS_GROUP), 0);
  world_until(world, world->jobstop_count == 2);
  world_sweep(world, id, (struct sweep_options){0});
  assert_false(world->jobstops[1].stopped);
}

static void it_gets_the_death_signal_when_we_die(void **state) {
  (void)state;
  int out[2];
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  pid_t parent = fork();
  if (parent == 0) {
    struct world *inner = world_new(NULL);
    pid_t pid;
    world_shell(inner, "trap '' HUP; exec sleep 100", &pid);
    if (write(out[1], &pid, sizeof pid) < 0) _exit(1);
    kill(getpid(), SIGKILL);
  }
  pid_t child = 0;
  assert_int_equal(read(out[0], &child, sizeof child), sizeof child);
  close(out[0]);
  close(out[1]);
  siginfo_t info;
  assert_int_equal(waitid(P_PID, (id_t)parent, &info, WEXITED), 0);
  // it comes to us as an orphan
  if (waitid(P_PID, (id_t)child, &info, WEXITED) == 0) assert_int_equal(info.si_status, SIGTERM);
}

static int make_directory(void **state) {
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(exit_codes_are_told),
      TEST(signals_that_end_are_told),
      TEST(processor_time_is_told),
      TEST(a_program_that_is_not_there_is_named),
      TEST(a_file_that_may_not_be_executed_is_named),
      TEST(a_forbidden_program_on_the_path_is_told_from_a_missing_one),
      TEST(a_format_that_can_not_run_is_explained),
      TEST(a_file_that_is_written_to_is_busy),
      TEST(arguments_that_are_too_large_are_told),
      TEST(a_directory_that_is_not_there_is_named),
      TEST(limits_that_may_not_be_set_are_told),
      TEST(a_log_that_is_not_there_is_refused),
      TEST(it_has_three_descriptors_and_no_more),
      TEST(it_has_the_environment_and_nothing_else),
      TEST(listening_sockets_are_its_descriptors_from_3_on),
      TEST(it_runs_in_its_directory),
      TEST(a_relative_program_is_its_directorys),
      TEST(its_signals_are_at_their_defaults),
      TEST(it_leads_a_session),
      TEST(without_a_session_it_stays_in_our_group),
      TEST(it_has_its_umask_limits_and_priority),
      TEST(it_has_the_limit_of_descriptors_that_we_were_started_with),
      TEST(it_runs_as_another_user),
      TEST(its_user_decides_what_it_may_enter),
      TEST(stdin_is_open_and_silent),
      TEST(input_that_fits_no_pipe_is_written_as_it_is_read),
      TEST(what_waits_for_a_reader_is_bounded),
      TEST(captures_keep_the_first_bytes),
      TEST(an_end_is_told_though_others_hold_the_pipe),
      TEST(a_stop_and_its_end_are_told),
      TEST(it_gets_the_death_signal_when_we_die),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
