// What changes in directories: who is told, what, and when a directory is gone.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net_turn.h"
#include "os/dirwatch.h"
#include "os/fs.h"

enum { SEEN_MAX = 64 };

static struct world {
  struct net_turn turn;
  struct dirwatches *watches;
  char directory[64], path[256];
  uint64_t set;
  int key;
  char seen[SEEN_MAX][128]; // "set key what name", for the set numbered from 0
  int count, wanted;
  uint64_t first;
} * world;

static void deliver(struct event *event, void *context) {
  (void)context;
  static const char *const words[] = {"written", "created", "removed", "gone", "overflow"};
  const struct change_event *change = (const struct change_event *)event;
  assert_int_equal(event->kind, EV_CHANGE);
  snprintf(world->seen[world->count++ % SEEN_MAX], sizeof world->seen[0], "%d %s %s%s",
           (int)(event->id - world->first), words[change->what], change->name,
           change->directory ? "/" : "");
}

static int setup(void **state) {
  world = *state = calloc(1, sizeof *world);
  net_turn_init(&world->turn, deliver, NULL);
  world->watches = dirwatches_create(&world->turn.loop);
  strcpy(world->directory, "/tmp/pactlua-dirwatch-XXXXXX");
  assert_non_null(mkdtemp(world->directory));
  assert_int_equal(dirwatches_open(world->watches, &world->set), 0);
  world->first = world->set;
  world->key = dirwatches_add(world->watches, world->set, world->directory);
  assert_true(world->key > 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  dirwatches_destroy(world->watches);
  net_turn_finish(&world->turn);
  fs_remove(world->directory, true);
  free(world);
  return 0;
}

static const char *in(const char *name) {
  snprintf(world->path, sizeof world->path, "%s/%s", world->directory, name);
  return world->path;
}

static void write_file(const char *name) {
  assert_int_equal(fs_write(in(name), "x", 1, 0644, FS_WRITE_REPLACE), 0);
}

static bool enough(void *context) {
  (void)context;
  return world->count >= world->wanted;
}

// All that is told by the time that `count` events have come, and no more.
static void expect(int count, const char *const *texts) {
  world->wanted = count;
  net_turn_until(&world->turn, enough, NULL, 60000);
  net_turn_until(&world->turn, NULL, NULL, 30);
  for (int i = 0; i < count; i++) assert_string_equal(world->seen[i], texts[i]);
  assert_int_equal(world->count, count);
  world->count = 0;
}

#define expect_all(...)                                                                            \
  expect(sizeof(const char *[]){__VA_ARGS__} / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void files_are_told_by_name(void **state) {
  (void)state;
  write_file("a");
  expect_all("0 created a", "0 written a");
  write_file("a");
  expect_all("0 written a");
  char from[256];
  snprintf(from, sizeof from, "%s", in("a"));
  rename(from, in("b")); // as editors do
  expect_all("0 removed a", "0 created b");
  mkdir(in("sub"), 0755);
  unlink(in("b"));
  expect_all("0 created sub/", "0 removed b");
}

static void a_directory_has_one_key_by_whatever_path(void **state) {
  (void)state;
  symlink(world->directory, in("loop"));
  expect_all("0 created loop");
  assert_int_equal(dirwatches_add(world->watches, world->set, in("loop")), world->key);
  write_file("a");
  expect_all("0 created a", "0 written a");
}

static void two_sets_hear_of_the_same_directory(void **state) {
  (void)state;
  uint64_t other;
  assert_int_equal(dirwatches_open(world->watches, &other), 0);
  assert_int_equal(dirwatches_add(world->watches, other, world->directory), world->key);
  mkdir(in("x"), 0755);
  expect_all("0 created x/", "1 created x/");
  assert_true(dirwatches_cancel(world->watches, world->set));
  assert_false(dirwatches_cancel(world->watches, world->set));
  mkdir(in("y"), 0755);
  expect_all("1 created y/");
  dirwatches_remove(world->watches, other, world->key);
  mkdir(in("z"), 0755);
  expect(0, NULL);
  assert_int_equal(dirwatches_add(world->watches, world->set, world->directory), -ENOENT);
}

static void a_directory_that_goes_is_told_once(void **state) {
  (void)state;
  mkdir(in("sub"), 0755);
  mkdir(in("moved"), 0755);
  expect_all("0 created sub/", "0 created moved/");
  int key = dirwatches_add(world->watches, world->set, in("sub"));
  assert_true(key > 0 && key != world->key);
  rmdir(in("sub"));
  expect_all("0 gone /", "0 removed sub/");
  assert_true(dirwatches_add(world->watches, world->set, in("moved")) > 0);
  char from[256];
  snprintf(from, sizeof from, "%s", in("moved"));
  rename(from, in("elsewhere"));
  expect_all("0 removed moved/", "0 created elsewhere/", "0 gone /");
  dirwatches_remove(world->watches, world->set, key);
  dirwatches_remove(world->watches, world->set, 0);
}

static void what_cannot_be_watched_is_refused(void **state) {
  (void)state;
  write_file("file");
  assert_int_equal(dirwatches_add(world->watches, world->set, in("none")), -ENOENT);
  assert_int_equal(dirwatches_add(world->watches, world->set, in("file")), -ENOTDIR);
}

static void directories_alone_can_be_listed(void **state) {
  (void)state;
  struct fs_names *names;
  mkdir(in("d"), 0755);
  write_file("f");
  symlink("d", in("to-d"));
  symlink("f", in("to-f"));
  symlink("none", in("broken"));
  assert_int_equal(fs_list(world->directory, true, &names), 0);
  assert_int_equal(names->count, 2);
  assert_string_equal(names->names[0], "d");
  assert_string_equal(names->names[1], "to-d");
  fs_names_destroy(names);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(files_are_told_by_name),
      test(a_directory_has_one_key_by_whatever_path),
      test(two_sets_hear_of_the_same_directory),
      test(a_directory_that_goes_is_told_once),
      test(what_cannot_be_watched_is_refused),
      test(directories_alone_can_be_listed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
