// Nothing is left behind: what becomes of all that a program has started.
#include "proc_world.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "proc/sample.h"
#include "proc/strays.h"
#include "proc/tree_kill.h"

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

static const struct sweep_options patient = {.grace_ms = 5000};

// Runs a command that writes the pid of what it leaves behind; gives that pid and the leader's id.
static uint64_t leave(const char *command, pid_t *left) {
  static const char *const env[] = {"PATH=/usr/bin:/bin", "TEST_TAG=one", NULL};
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.env = env;
  spec.tag = "TEST_TAG=one";
  uint64_t id = world_spawn(world, &spec, NULL);
  struct exit_event *exit = world_wait(world, id);
  char text[32] = "";
  assert_in_range(exit->captured[0].size, 1, sizeof text - 1);
  memcpy(text, exit->captured[0].bytes, exit->captured[0].size);
  *left = (pid_t)atol(text);
  assert_true(*left > 0);
  return id;
}

static size_t tree_size(uint64_t id) {
  struct tree *tree;
  if (procs_tree(world->procs, id, &tree) != 0) return 0;
  size_t count = tree->count;
  tree_free(tree);
  return count;
}

// The pid of a program `sleep` below this leader that has a session of its own; 0: none yet.
static pid_t apart(uint64_t id) {
  struct tree *tree;
  pid_t found = 0;
  if (procs_tree(world->procs, id, &tree) != 0) return 0;
  for (size_t i = 1; i < tree->count; i++) {
    const struct procfs_stat *stat = &tree->processes[i].stat;
    if (stat->sid == stat->pid && strcmp(stat->name, "sleep") == 0) found = stat->pid;
  }
  tree_free(tree);
  return found;
}

static void nothing_left_is_told_at_once(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "exit 0", NULL);
  world_wait(world, id);
  struct swept_event *swept = world_sweep(world, id, patient);
  assert_int_equal(swept->killed, 0);
  assert_int_equal(swept->count, 0);
  assert_int_equal(procs_pid(world->procs, id), 0);
  assert_int_equal(procs_sweep(world->procs, id, &patient), -ENOENT);
  assert_int_equal(procs_signal(world->procs, id, SIGTERM, PROCS_GROUP), -ENOENT);
}

static void a_leader_stays_a_zombie_until_it_is_swept(void **state) {
  (void)state;
  pid_t pid;
  struct procfs_stat stat;
  uint64_t id = world_shell(world, "exit 0", &pid);
  world_wait(world, id);
  assert_int_equal(procfs_stat(&kernel_linux, pid, &stat), 0);
  assert_int_equal(stat.state, 'Z');
  assert_int_equal(procs_signal(world->procs, id, SIGTERM, PROCS_LEADER), -ESRCH);
  world_sweep(world, id, patient);
  assert_int_equal(procfs_stat(&kernel_linux, pid, &stat), -ENOENT);
}

static void a_grandchild_of_the_group_ends(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("sleep 100 >/dev/null 2>&1 & echo $!", &left);
  assert_true(world_alive(left));
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void a_grandchild_with_a_session_of_its_own_ends(void **state) {
  (void)state;
  pid_t left;
  // what is asked for in $() has its session, and no pipe of ours any more, when that ends
  uint64_t id = leave("echo $(setsid sh -c 'echo $$; exec sleep 100 >/dev/null 2>&1' &)", &left);
  struct procfs_stat stat;
  assert_int_equal(procfs_stat(&kernel_linux, left, &stat), 0);
  assert_int_equal(stat.sid, left);
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void a_group_of_its_own_in_the_leaders_session_ends(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("exec bash -c 'set -m; env -i /bin/sleep 100 >/dev/null 2>&1 & echo $!; "
                      "while [ $(cat /proc/$!/comm) != sleep ]; do :; done'",
                      &left);
  struct procfs_stat stat;
  assert_int_equal(procfs_stat(&kernel_linux, left, &stat), 0);
  assert_int_equal(stat.pgid, left);
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void a_daemon_that_forked_twice_ends(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("echo $(setsid sh -c 'sleep 100 >/dev/null 2>&1 & echo $!' &)", &left);
  assert_true(world_alive(left));
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void a_deaf_one_is_killed_after_the_grace(void **state) {
  (void)state;
  pid_t left;
  uint64_t id =
      leave("echo $(sh -c 'trap \"\" TERM; echo $$; exec >/dev/null 2>&1; while :; do sleep 100; "
            "done' &)",
            &left);
  uint64_t start = loop_now_ms(&world->loop);
  struct swept_event *swept = world_sweep(world, id, (struct sweep_options){.grace_ms = 200});
  uint64_t took = loop_now_ms(&world->loop) - start;
  assert_in_range(took, 190, 4000); // the usual grace is 5000
  assert_int_equal(swept->count, 0);
  assert_true(swept->killed >= 2); // the shell, and its sleep
  assert_false(world_alive(left));
}

static void a_stopped_one_ends_by_term_and_cont(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("sleep 100 >/dev/null 2>&1 & kill -STOP $!; echo $!", &left);
  world_sweep(world, id, (struct sweep_options){.grace_ms = 3600000}); // KILL would be too late
  assert_false(world_alive(left));
}

static void a_leader_that_lives_ends_with_its_tree(void **state) {
  (void)state;
  pid_t pid;
  uint64_t id = world_shell(world, "sleep 100 & setsid sleep 100 & sleep 100", &pid);
  world_until(world, tree_size(id) == 4);
  struct swept_event *swept = world_sweep(world, id, patient);
  assert_int_equal(swept->killed, 3);
  assert_int_equal(world_exit_of(world, id)->code, SIGTERM);
  assert_true(world->exits[0]->event.id == id);
}

static void names_to_keep_are_spared_and_named(void **state) {
  (void)state;
  static const char *const keep[] = {"sleep"};
  pid_t left;
  uint64_t id = leave("sleep 100 >/dev/null 2>&1 & echo $!; "
                      "while [ $(cat /proc/$!/comm) != sleep ]; do :; done",
                      &left);
  struct swept_event *swept =
      world_sweep(world, id, (struct sweep_options){.keep = keep, .keep_count = 1});
  assert_int_equal(swept->killed, 0);
  assert_int_equal(swept->count, 1);
  assert_int_equal(swept->survivors[0].pid, left);
  assert_string_equal(swept->survivors[0].name, "sleep");
  assert_true(swept->survivors[0].spared);
  size_t count;
  struct tree_spared_process *spared = procs_spared(world->procs, &count);
  assert_int_equal(count, 1);
  assert_int_equal(spared[0].pid, left);
  free(spared);
  assert_true(world_alive(left));
  uint64_t all = procs_sweep_all(world->procs, &patient);
  world_until(world, world_swept_of(world, all));
  assert_int_equal(world_swept_of(world, all)->killed, 1);
  assert_false(world_alive(left));
}

static void what_left_the_group_is_spared_where_asked(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("echo $(setsid sh -c 'sleep 100 >/dev/null 2>&1 & echo $!' &)", &left);
  world_sweep(world, id, (struct sweep_options){.group_only = true});
  assert_true(world_alive(left));
  uint64_t all = procs_sweep_all(world->procs, &patient);
  world_until(world, world_swept_of(world, all));
  assert_false(world_alive(left));
}

static void a_daemon_without_our_environment_is_known_by_its_pipes(void **state) {
  (void)state;
  pid_t left;
  uint64_t id = leave("(setsid env -i /bin/sh -c 'echo $$; exec /bin/sleep 100' &) ; "
                      "sleep 0.1",
                      &left);
  assert_true(world_alive(left));
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void one_that_nobody_can_attribute_ends_with_all(void **state) {
  (void)state;
  pid_t left;
  uint64_t id =
      leave("echo $(setsid env -i /bin/sh -c '/bin/sleep 100 </dev/null >/dev/null 2>&1 & "
            "echo $!' &)",
            &left);
  world_sweep(world, id, patient);
  uint64_t all = procs_sweep_all(world->procs, &patient);
  world_until(world, world_swept_of(world, all));
  assert_int_equal(world_swept_of(world, all)->count, 0);
  assert_false(world_alive(left));
}

static void what_was_seen_below_its_leader_is_remembered(void **state) {
  (void)state;
  // wipes its environment and takes a session while its parent lives; that is when it is seen
  uint64_t id =
      world_shell(world, "setsid env -i /bin/sleep 100 >/dev/null 2>&1 & read line; exit 0", NULL);
  pid_t left = 0;
  world_until(world, (left = apart(id)));
  procs_write(world->procs, id, "\n", 1);
  world_wait(world, id);
  assert_true(world_alive(left));
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_false(world_alive(left));
}

static void others_are_left_alone(void **state) {
  (void)state;
  pid_t other, left;
  uint64_t neighbour = world_shell(world, "sleep 100 & wait", &other);
  uint64_t id = leave("sleep 100 >/dev/null 2>&1 & echo $!", &left);
  assert_int_equal(world_sweep(world, id, patient)->killed, 1);
  assert_true(world_alive(other));
  world_until(world, tree_size(neighbour) == 2);
  assert_null(world_exit_of(world, neighbour));
  world_sweep(world, neighbour, patient);
}

static void orphans_are_reaped_behind_a_leaders_zombie(void **state) {
  (void)state;
  uint64_t first = world_shell(world, "exit 0", NULL);
  world_wait(world, first); // not swept: it stands before all other zombies
  pid_t orphan;
  uint64_t id = leave("sleep 0.3 >/dev/null 2>&1 & echo $!", &orphan);
  struct procfs_stat stat;
  world_until(world, procfs_stat(&kernel_linux, orphan, &stat) == -ENOENT);
  world_sweep(world, first, patient);
  world_sweep(world, id, patient);
}

static void a_hundred_ends_are_swept_together(void **state) {
  (void)state;
  uint64_t ids[100];
  for (int i = 0; i < 100; i++) ids[i] = world_shell(world, "exec sleep 100", NULL);
  for (int i = 0; i < 100; i++) assert_int_equal(procs_sweep(world->procs, ids[i], &patient), 0);
  world_until(world, world->swept_count == 100);
  assert_int_equal(world->exit_count, 100);
}

// A storm that blows itself out: each gust starts two more, seven times over and no further,
// whatever becomes of this test.
#define STORM(gust)                                                                                \
  "trap '' TERM; f() { [ $1 -gt 0 ] || exec sleep 5; n=$(($1 - 1)); " gust gust "wait; }; f 6"

static void storm_ends(const char *command) {
  static const char *const env[] = {"PATH=/usr/bin:/bin", "TEST_TAG=storm", NULL};
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = world_spec(argv);
  struct sample sample = {0};
  spec.spawn.env = env;
  spec.tag = "TEST_TAG=storm";
  uint64_t id = world_spawn(world, &spec, NULL);
  world_until(world, procs_sample(world->procs, id, true, &sample) == 0 && sample.procs >= 10);
  struct swept_event *swept = world_sweep(world, id, (struct sweep_options){.grace_ms = 20});
  assert_int_equal(swept->count, 0);
}

static void a_fork_storm_ends(void **state) {
  (void)state;
  storm_ends(STORM("(sleep 0.02; f $n) & "));
}

static void a_storm_of_sessions_ends(void **state) {
  (void)state;
  char path[64], command[96];
  snprintf(path, sizeof path, "/tmp/proc_storm_%d", (int)getpid());
  FILE *script = fopen(path, "w");
  fputs("trap '' TERM; [ $1 -gt 0 ] || exec sleep 5\n"
        "for i in 1 2; do setsid sh $0 $(($1 - 1)) & done; wait\n",
        script);
  fclose(script);
  snprintf(command, sizeof command, "exec sh %s 5", path);
  storm_ends(command);
  unlink(path);
}

static void a_cancelled_one_ends_without_a_word(void **state) {
  (void)state;
  pid_t pid;
  uint64_t id = world_shell(world, "sleep 100 & sleep 100", &pid);
  assert_true(procs_cancel(world->procs, id));
  world_until(world, !world_has_children());
  assert_int_equal(world->exit_count + world->swept_count, 0);
  assert_false(procs_cancel(world->procs, id));
}

static void a_tree_signal_reaches_sessions(void **state) {
  (void)state;
  uint64_t id = world_shell(world, "trap 'exit 5' USR1; setsid sleep 100 & wait", NULL);
  world_until(world, apart(id));
  assert_int_equal(procs_signal(world->procs, id, SIGUSR1, PROCS_TREE), 0);
  assert_int_equal(world_wait(world, id)->code, 5);
  assert_int_equal(world_sweep(world, id, patient)->killed, 0);
}

static void a_tree_is_measured_whole(void **state) {
  (void)state;
  uint64_t id = world_shell(
      world,
      "(i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 100; :) & sleep 100; :", NULL);
  struct sample sample = {0};
  world_until(world, procs_sample(world->procs, id, true, &sample) == 0 && sample.procs == 4 &&
                         sample.cpu_ms >= 10);
  assert_true(sample.rss_bytes > 1000000);
  assert_int_equal(sample.threads, 4);
  assert_int_equal(sample.fds, 4 * 3);
  world_sweep(world, id, patient);
  assert_int_equal(procs_sample(world->procs, id, true, &sample), -ENOENT);
}

static void ports_of_a_tree_are_found(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(fd, 1), 0);
  getsockname(fd, (struct sockaddr *)&address, &size);
  int saved = dup(0);
  dup2(fd, 0); // handed down as its stdin
  const char *argv[] = {"sleep", "100", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.stdio[0] = SPAWN_INHERIT;
  uint64_t id = world_spawn(world, &spec, NULL);
  dup2(saved, 0);
  close(saved);
  uint16_t *ports;
  size_t count;
  assert_int_equal(procs_ports(world->procs, id, &ports, &count), 0);
  assert_int_equal(count, 1);
  assert_int_equal(ports[0], ntohs(address.sin_port));
  free(ports);
  close(fd);
  world_sweep(world, id, patient);
}

static void tagged_strays_are_found_and_ended(void **state) {
  (void)state;
  char tag[64];
  snprintf(tag, sizeof tag, "TEST_STRAY=%d", (int)getpid());
  const char *argv[] = {"sleep", "100", NULL};
  const char *env[] = {"PATH=/usr/bin:/bin", tag, "OTHER=x", NULL};
  struct procs_spec spec = world_spec(argv);
  spec.spawn.env = env;
  pid_t pid;
  uint64_t id = world_spawn(world, &spec, &pid);
  struct strays *strays;
  assert_int_equal(strays_find(&kernel_linux, tag, &strays), 0);
  assert_int_equal(strays->count, 1);
  uint64_t start = strays->list[0].stat.start;
  assert_int_equal(strays->list[0].stat.pid, pid);
  assert_string_equal(strays->list[0].command, "sleep 100");
  strays_free(strays);
  assert_int_equal(procfs_signal(&kernel_linux, pid, start + 1, SIGTERM), -ESRCH);
  assert_true(world_alive(pid));
  assert_int_equal(procfs_signal(&kernel_linux, pid, start, SIGTERM), 0);
  assert_int_equal(world_wait(world, id)->code, SIGTERM);
  world_sweep(world, id, patient);
}

static void all_below_us_end_without_a_loop(void **state) {
  (void)state;
  pid_t pid;
  world_shell(world,
              "(setsid env -i sh -c 'trap \"\" TERM; sleep 100; sleep 100' &) ; kill -STOP $$; "
              "sleep 100",
              &pid);
  world_until(world, world->jobstop_count == 1);
  assert_int_equal(tree_kill_descendants(100, &kernel_linux, NULL), 0);
  assert_false(world_has_children());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(nothing_left_is_told_at_once),
      TEST(a_leader_stays_a_zombie_until_it_is_swept),
      TEST(a_grandchild_of_the_group_ends),
      TEST(a_grandchild_with_a_session_of_its_own_ends),
      TEST(a_group_of_its_own_in_the_leaders_session_ends),
      TEST(a_daemon_that_forked_twice_ends),
      TEST(a_deaf_one_is_killed_after_the_grace),
      TEST(a_stopped_one_ends_by_term_and_cont),
      TEST(a_leader_that_lives_ends_with_its_tree),
      TEST(names_to_keep_are_spared_and_named),
      TEST(what_left_the_group_is_spared_where_asked),
      TEST(a_daemon_without_our_environment_is_known_by_its_pipes),
      TEST(one_that_nobody_can_attribute_ends_with_all),
      TEST(what_was_seen_below_its_leader_is_remembered),
      TEST(others_are_left_alone),
      TEST(orphans_are_reaped_behind_a_leaders_zombie),
      TEST(a_hundred_ends_are_swept_together),
      TEST(a_fork_storm_ends),
      TEST(a_storm_of_sessions_ends),
      TEST(a_cancelled_one_ends_without_a_word),
      TEST(a_tree_signal_reaches_sessions),
      TEST(a_tree_is_measured_whole),
      TEST(ports_of_a_tree_are_found),
      TEST(tagged_strays_are_found_and_ended),
      TEST(all_below_us_end_without_a_loop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
