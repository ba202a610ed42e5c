// A kernel that refuses, forgets and repeats itself: the system calls of proc/ are replaced one by
// one.
#include "proc_world.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "proc/sample.h"

static struct world *world;
static struct kernel kernel;

// What the replaced calls are to do, and what they saw.
static int spawn_error, open_error, pipe_error_after;
static const char *no_file; // paths that contain this aren't there
static pid_t reused_pid;    // has another start time than before
static int signals_sent, waits_before_exit;
static int look_delay_ms; // of the next list of our children, and the one behind it

static int fake_spawn(int (*child)(void *), void *argument, void *stack_top, bool share_files,
                      int *pidfd) {
  if (spawn_error) return spawn_error;
  return kernel_linux.spawn(child, argument, stack_top, share_files, pidfd);
}

static int fake_pipe(int fds[2]) {
  if (pipe_error_after >= 0 && pipe_error_after-- == 0) return -EMFILE;
  return kernel_linux.pipe(fds);
}

// A stat file as the kernel writes it, of a process that started a little later.
static int younger_stat(pid_t pid) {
  char path[64], text[512];
  struct procfs_stat stat;
  assert_int_equal(procfs_stat(&kernel_linux, pid, &stat), 0);
  snprintf(text, sizeof text, "%d (%s) S %d %d %d 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0 0 0",
           (int)pid, stat.name, (int)stat.ppid, (int)stat.pgid, (int)stat.sid,
           (unsigned long long)stat.start + 7);
  snprintf(path, sizeof path, "/tmp/proc_kernel_%d", (int)getpid());
  FILE *out = fopen(path, "w");
  fputs(text, out);
  fclose(out);
  int fd = kernel_linux.open(path, O_RDONLY);
  unlink(path);
  return fd;
}

static int fake_open(const char *path, int flags) {
  static int looks;
  char reused[64];
  if (open_error && strncmp(path, "/proc/", 6) == 0) return open_error;
  if (no_file && strstr(path, no_file)) return -ENOENT;
  if (look_delay_ms && strstr(path, "/children")) {
    usleep((useconds_t)look_delay_ms * 1000);
    if (++looks == 2) look_delay_ms = looks = 0;
  }
  snprintf(reused, sizeof reused, "/proc/%d/stat", (int)reused_pid);
  if (reused_pid && strcmp(path, reused) == 0) return younger_stat(reused_pid);
  return kernel_linux.open(path, flags);
}

static int fake_pidfd_signal(int pidfd, int signo) {
  signals_sent++;
  return kernel_linux.pidfd_signal(pidfd, signo);
}

// An end that is announced before it can be had.
static int fake_waitid(idtype_t type, id_t id, siginfo_t *info, int options, struct rusage *usage) {
  if (type == P_PID && usage && waits_before_exit-- > 0) {
    memset(info, 0, sizeof *info);
    return 0;
  }
  return kernel_linux.waitid(type, id, info, options, usage);
}

static int setup(void **state) {
  (void)state;
  spawn_error = open_error = signals_sent = waits_before_exit = look_delay_ms = 0;
  pipe_error_after = -1;
  no_file = NULL;
  reused_pid = 0;
  kernel = kernel_linux;
  kernel.spawn = fake_spawn;
  kernel.pipe = fake_pipe;
  kernel.open = fake_open;
  kernel.pidfd_signal = fake_pidfd_signal;
  kernel.waitid = fake_waitid;
  world = world_new(&kernel);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  world_free(world);
  return 0;
}

static const struct sweep_options patient = {.grace_ms = 5000};

static unsigned open_descriptors(void) {
  struct procfs_dir dir;
  unsigned count = 0;
  assert_int_equal(procfs_dir_open(&kernel_linux, &dir, "/proc/self/fd"), 0);
  for (long fd; procfs_dir_next(&dir, &fd);) count++;
  procfs_dir_close(&dir);
  return count;
}

static void refused(int error, enum stage_step step, const char *words) {
  static const char *const argv[] = {"true", NULL};
  struct procs_spec spec = world_spec(argv);
  struct spawn_failure failure;
  uint64_t id;
  pid_t pid;
  unsigned before = open_descriptors();
  assert_int_equal(procs_spawn(world->procs, &spec, &id, &pid, &failure), -error);
  assert_int_equal(failure.step, step);
  if (!strstr(failure.message, words)) fail_msg("'%s' lacks '%s'", failure.message, words);
  assert_int_equal(open_descriptors(), before);
}

static void fault_21_a_fork_that_is_denied_is_told_with_its_code(void **state) {
  (void)state;
  spawn_error = -EAGAIN;
  refused(EAGAIN, STAGE_FORK, "fork: Resource temporarily unavailable (the limit of processes");
  spawn_error = -ENOMEM;
  refused(ENOMEM, STAGE_FORK, "fork: Cannot allocate memory");
  spawn_error = 0;
  uint64_t id = world_shell(world, "exit 0", NULL); // and the next one works
  world_wait(world, id);
  world_sweep(world, id, patient);
}

static void fault_22_descriptors_that_have_run_out_are_told_with_their_code(void **state) {
  (void)state;
  for (int good = 0; good < 3; good++) {
    pipe_error_after = good;
    refused(EMFILE, STAGE_STDIO, "stdio: Too many open files");
  }
  pipe_error_after = -1;
  spawn_error = -EMFILE;
  refused(EMFILE, STAGE_FORK, "nofile");
}

// A shell that leaves a child behind, in a session of its own; the child's pid.
static uint64_t leave(const char *command, const char *tag, pid_t *left) {
  static const char *const env[] = {"PATH=/usr/bin:/bin", "TEST_TAG=left", NULL};
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.env = env;
  spec.tag = tag;
  uint64_t id = world_spawn(world, &spec, NULL);
  struct exit_event *exit = world_wait(world, id);
  char text[16] = "";
  assert_in_range(exit->captured[0].size, 1, sizeof text - 1);
  memcpy(text, exit->captured[0].bytes, exit->captured[0].size);
  *left = (pid_t)atol(text);
  return id;
}

static void fault_29_a_pid_that_has_been_used_again_is_not_signalled(void **state) {
  (void)state;
  pid_t pid;
  struct procfs_stat stat;
  uint64_t id = world_shell(world, "exec sleep 100", &pid);
  assert_int_equal(procfs_stat(&kernel, pid, &stat), 0);
  reused_pid = pid;
  assert_int_equal(procfs_signal(&kernel, pid, stat.start, SIGKILL), -ESRCH);
  assert_int_equal(signals_sent, 0);
  assert_true(world_alive(pid));
  reused_pid = 0;
  world_sweep(world, id, patient);
}

static void fault_29_a_remembered_stray_whose_pid_is_anothers_now_is_spared(void **state) {
  (void)state;
  pid_t left;
  uint64_t first = world_shell(
      world, "setsid env -i /bin/sleep 100 </dev/null >/dev/null 2>&1 & read line; exit 0", NULL);
  struct tree *tree;
  for (left = 0; !left; world_step(world)) {
    assert_int_equal(procs_tree(world->procs, first, &tree), 0);
    for (size_t i = 1; i < tree->count; i++)
      if (tree->processes[i].stat.sid == tree->processes[i].stat.pid)
        left = tree->processes[i].stat.pid;
    tree_free(tree);
  }
  procs_write(world->procs, first, "\n", 1);
  world_wait(world, first);
  reused_pid = left; // by its looks a process that nobody has met before
  assert_int_equal(world_sweep(world, first, patient)->killed, 0);
  assert_true(world_alive(left));
  reused_pid = 0;
  uint64_t all = procs_sweep_all(world->procs, &patient);
  world_until(world, world_swept_of(world, all));
}

static void fault_30_deaths_that_share_one_signal_are_all_seen(void **state) {
  (void)state;
  pid_t left;
  uint64_t ids[20], last = 0;
  for (int i = 0; i < 20; i++) ids[i] = world_shell(world, "sleep 0.05 & exit 0", NULL);
  last = leave("sleep 100 >/dev/null 2>&1 & echo $!", NULL, &left);
  sigset_t chld, before;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, &before);
  kill(left, SIGKILL);
  world_until(world, world->exit_count == 21);
  sigprocmask(SIG_SETMASK, &before, NULL);
  for (int i = 0; i < 20; i++) world_sweep(world, ids[i], patient);
  world_sweep(world, last, patient);
  world_until(world, !world_has_children());
}

static void fault_30_an_end_that_can_not_be_had_yet_is_waited_for(void **state) {
  (void)state;
  waits_before_exit = 3;
  uint64_t id = world_shell(world, "exit 4", NULL);
  assert_int_equal(world_wait(world, id)->code, 4);
  assert_int_equal(world->exit_count, 1);
  world_sweep(world, id, patient);
}

static void without_lists_of_children_all_processes_are_looked_at(void **state) {
  (void)state;
  pid_t left;
  no_file = "/children";
  uint64_t id = leave("echo $(setsid sh -c 'sleep 100 >/dev/null 2>&1 & echo $!' &)", NULL, &left);
  assert_true(world_alive(left));
  uint64_t neighbour = world_shell(world, "sleep 100 & wait", NULL);
  struct sample sample = {0};
  world_until(world,
              procs_sample(world->procs, neighbour, true, &sample) == 0 && sample.procs == 2);
  // no session, group, parent or tag leads to it: only the end of all ends it
  assert_int_equal(world_sweep(world, id, patient)->killed, 0);
  assert_int_equal(world_sweep(world, neighbour, patient)->killed, 1);
  uint64_t all = procs_sweep_all(world->procs, &patient);
  world_until(world, world_swept_of(world, all));
  assert_int_equal(world_swept_of(world, all)->killed, 1);
  assert_false(world_alive(left));
}

static void a_walk_that_is_blind_is_no_proof_that_nothing_is_left(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("trap '' TERM; sleep 100 >/dev/null 2>&1 & echo $!", NULL, &left);
  open_error = -EMFILE;
  assert_int_equal(procs_sweep(world->procs, id, &(struct sweep_options){.grace_ms = 300}), 0);
  for (int i = 0; i < 5; i++) world_step(world);
  assert_null(world_swept_of(world, id));
  open_error = 0;
  world_until(world, world_swept_of(world, id));
  assert_false(world_alive(left));
}

static void a_look_that_takes_long_does_not_keep_the_kill_from_being_sent(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("trap '' TERM; setsid sleep 100 >/dev/null 2>&1 & echo $!; sleep 0.1",
                      "TEST_TAG=left", &left);
  look_delay_ms = 1100; // the next look is over when all time for the sweep has gone by
  assert_int_equal(procs_sweep(world->procs, id, &(struct sweep_options){.grace_ms = 1}), 0);
  world_until(world, world_swept_of(world, id));
  assert_int_equal(world_swept_of(world, id)->count, 0);
  assert_false(world_alive(left));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(fault_21_a_fork_that_is_denied_is_told_with_its_code),
      TEST(fault_22_descriptors_that_have_run_out_are_told_with_their_code),
      TEST(fault_29_a_pid_that_has_been_used_again_is_not_signalled),
      TEST(fault_29_a_remembered_stray_whose_pid_is_anothers_now_is_spared),
      TEST(fault_30_deaths_that_share_one_signal_are_all_seen),
      TEST(fault_30_an_end_that_can_not_be_had_yet_is_waited_for),
      TEST(without_lists_of_children_all_processes_are_looked_at),
      TEST(a_walk_that_is_blind_is_no_proof_that_nothing_is_left),
      TEST(a_look_that_takes_long_does_not_keep_the_kill_from_being_sent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
