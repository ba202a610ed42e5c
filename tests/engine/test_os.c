// Files, users, programs, names of signals, widths of text.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "os/files.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/program.h"
#include "os/signame.h"
#include "os/users.h"

static char dir[64];

static const char *in_dir(const char *name) {
  static char paths[8][PATH_MAX];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, PATH_MAX, "%s/%s", dir, name);
  return path;
}

static int put(const char *name, const char *content) {
  return fs_write(in_dir(name), content, strlen(content), 0644, FS_WRITE_REPLACE);
}

static int setup(void **state) {
  (void)state;
  strcpy(dir, "/tmp/pactlua-test-XXXXXX");
  return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  return fs_remove(dir, true);
}

static void expect_content(const char *path, const char *content) {
  char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(fs_read(path, 1 << 20, &bytes, &size), 0);
  assert_int_equal(size, strlen(content));
  assert_memory_equal(bytes, content, size);
  free(bytes);
}

static void a_file_is_replaced_appended_to_or_swapped(void **state) {
  (void)state;
  const char *path = in_dir("file");
  assert_int_equal(put("file", "long one"), 0);
  assert_int_equal(put("file", "one"), 0);
  assert_int_equal(fs_write(path, " two", 4, 0644, FS_WRITE_APPEND), 0);
  expect_content(path, "one two");
  struct stat before, after;
  stat(path, &before);
  assert_int_equal(fs_write(path, "new", 3, 0600, FS_WRITE_ATOMIC), 0);
  stat(path, &after);
  expect_content(path, "new");
  assert_int_equal(after.st_mode & 0777, 0600);
  assert_int_not_equal(before.st_ino, after.st_ino);
}

static void a_swap_that_fails_leaves_nothing(void **state) {
  (void)state;
  struct fs_names *names;
  assert_int_equal(fs_mkdir(in_dir("a/busy"), 0755), 0);
  assert_int_equal(fs_write(in_dir("a/busy"), "x", 1, 0644, FS_WRITE_ATOMIC), -EISDIR);
  assert_int_equal(fs_list(in_dir("a"), false, &names), 0);
  assert_int_equal(names->count, 1);
  fs_names_destroy(names);
}

static void reading_says_what_is_wrong(void **state) {
  (void)state;
  char *bytes;
  size_t size;
  assert_int_equal(fs_read(in_dir("absent"), 10, &bytes, &size), -ENOENT);
  assert_int_equal(fs_read(dir, 10, &bytes, &size), -EISDIR);
  assert_int_equal(put("big", "0123456789"), 0);
  assert_int_equal(fs_read(in_dir("big"), 9, &bytes, &size), -EFBIG);
  assert_int_equal(fs_read("/dev/zero", 100000, &bytes, &size), -EFBIG);
  assert_int_equal(fs_read_at(in_dir("absent"), 0, 10, &bytes, &size), -ENOENT);
  assert_int_equal(fs_read_at(in_dir("big"), 8, 10, &bytes, &size), 0);
  assert_true(size == 2 && memcmp(bytes, "89", 2) == 0);
  free(bytes);
  assert_int_equal(fs_read_at(in_dir("big"), 11, 10, &bytes, &size), 0);
  assert_int_equal(size, 0);
  free(bytes);
  mkfifo(in_dir("fifo"), 0600);
  assert_int_equal(fs_read(in_dir("fifo"), 10, &bytes, &size), 0); // and not waited for
  assert_int_equal(size, 0);
  free(bytes);
  assert_int_equal(fs_read("/proc/self/status", 1 << 20, &bytes, &size), 0); // has no size
  assert_true(size > 100 && strlen(bytes) == size);
  free(bytes);
}

static void directories_are_made_listed_and_removed(void **state) {
  (void)state;
  struct fs_names *names;
  assert_int_equal(fs_mkdir(in_dir("x//y/z"), 0700), 0);
  assert_int_equal(fs_mkdir(in_dir("x/y/z"), 0700), 0);
  assert_int_equal(put("c", ""), 0);
  assert_int_equal(put("a", ""), 0);
  assert_int_equal(put("b", ""), 0);
  assert_int_equal(fs_mkdir(in_dir("a/b"), 0700), -ENOTDIR);
  assert_int_equal(fs_list(dir, false, &names), 0);
  assert_int_equal(names->count, 4);
  assert_string_equal(names->names[0], "a");
  assert_string_equal(names->names[3], "x");
  fs_names_destroy(names);
  assert_int_equal(fs_remove(in_dir("x"), false), -ENOTEMPTY);
  assert_int_equal(fs_remove(in_dir("x"), true), 0);
  assert_int_equal(fs_remove(in_dir("x"), true), -ENOENT);
}

static void removing_a_tree_follows_no_link(void **state) {
  (void)state;
  assert_int_equal(fs_mkdir(in_dir("kept"), 0755), 0);
  assert_int_equal(put("kept/file", "x"), 0);
  assert_int_equal(fs_mkdir(in_dir("gone"), 0755), 0);
  assert_int_equal(fs_symlink(in_dir("kept"), in_dir("gone/link")), 0);
  assert_int_equal(fs_remove(in_dir("gone"), true), 0);
  expect_content(in_dir("kept/file"), "x");
}

static void a_link_is_replaced_and_nothing_else_is(void **state) {
  (void)state;
  char target[64] = {0};
  assert_int_equal(fs_symlink("one", in_dir("latest")), 0);
  assert_int_equal(fs_symlink("two", in_dir("latest")), 0);
  assert_int_equal(readlink(in_dir("latest"), target, sizeof target - 1), 3);
  assert_string_equal(target, "two");
  assert_int_equal(fs_mkdir(in_dir("real"), 0755), 0);
  assert_int_equal(fs_symlink("three", in_dir("real")), -EEXIST);
}

static void no_event(struct event *event, void *context) {
  (void)event;
  (void)context;
}

static void no_turn(void *context) {
  (void)context;
}

static void a_lock_is_held_until_it_is_closed(void **state) {
  (void)state;
  struct loop loop;
  uint64_t first, second;
  char held[64];
  loop_init(&loop, no_event, no_turn, NULL);
  struct files *files = files_create(&loop), *others = files_create(&loop);
  const char *path = in_dir("lock");
  assert_int_equal(files_lock(files, path, "pid 1", &first, held, sizeof held), 0);
  assert_int_equal(files_lock(others, path, "pid 2", &second, held, sizeof held), -EWOULDBLOCK);
  assert_string_equal(held, "pid 1");
  assert_int_equal(files_close(files, first), 0);
  assert_int_equal(files_close(files, first), -ENOENT);
  assert_int_equal(files_lock(others, path, "2", &second, held, sizeof held), 0);
  expect_content(path, "2");
  files_destroy(files);
  files_destroy(others);
  loop_finish(&loop);
}

static void a_holder_that_has_only_just_come_is_named(void **state) {
  (void)state;
  struct loop loop;
  uint64_t id;
  char held[64];
  loop_init(&loop, no_event, no_turn, NULL);
  struct files *files = files_create(&loop);
  const char *path = in_dir("fresh");
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  assert_int_equal(files_lock(files, path, NULL, &id, held, sizeof held), -EWOULDBLOCK);
  assert_string_equal(held, "");
  pid_t child = fork();
  if (child == 0) {
    usleep(2000);
    _exit(pwrite(fd, "pid 7", 5, 0) == 5 ? 0 : 1);
  }
  assert_int_equal(files_lock(files, path, "pid 2", &id, held, sizeof held), -EWOULDBLOCK);
  assert_string_equal(held, "pid 7");
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  close(fd);
  files_destroy(files);
  loop_finish(&loop);
}

static void programs_are_found_as_exec_does(void **state) {
  (void)state;
  char file[PATH_MAX];
  assert_int_equal(program_find("sh", "/nowhere:/bin", file, sizeof file), 0);
  assert_string_equal(file, "/bin/sh");
  assert_int_equal(program_find("sh", NULL, file, sizeof file), 0);
  assert_int_equal(program_find("/bin/sh", "", file, sizeof file), 0);
  assert_int_equal(program_find("no-such-program", "/bin", file, sizeof file), -ENOENT);
  assert_int_equal(program_find("", "/bin", file, sizeof file), -ENOENT);
  assert_int_equal(put("script", ""), 0);
  assert_int_equal(program_find("script", dir, file, sizeof file), -EACCES);
  assert_int_equal(program_find(dir, "", file, sizeof file), -ENOENT); // a directory is no program
}

static void users_are_found_by_name_and_id(void **state) {
  (void)state;
  struct user *user;
  assert_int_equal(user_by_name("root", &user), 0);
  assert_int_equal(user->uid, 0);
  assert_string_equal(user->home, "/root");
  assert_true(user->group_count >= 1);
  user_destroy(user);
  assert_int_equal(user_by_id(0, &user), 0);
  assert_string_equal(user->name, "root");
  user_destroy(user);
  assert_int_equal(user_by_name("no-such-user", &user), -ENOENT);
  assert_int_equal(user_by_id(4000000000u, &user), -ENOENT);
}

static void signals_have_names(void **state) {
  (void)state;
  char name[SIGNAME_SIZE];
  assert_string_equal(signame(SIGINT, name), "INT");
  assert_string_equal(signame(SIGRTMIN + 2, name), "RTMIN+2");
  assert_string_equal(signame(99, name), "99");
  assert_int_equal(signame_number("TERM"), SIGTERM);
  assert_int_equal(signame_number("SIGTERM"), SIGTERM);
  assert_int_equal(signame_number("RTMIN+2"), SIGRTMIN + 2);
  assert_int_equal(signame_number("NONE"), 0);
  assert_int_equal(signame_number(""), 0);
}

static void widths_are_those_of_a_terminal(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t columns;
  } rows[] = {
      {"", 0},
      {"abc", 3},
      {"a\xCC\x81", 1},                // with a combining accent
      {"\xE6\x97\xA5\xE6\x9C\xAC", 4}, // two ideographs
      {"\xF0\x9F\x99\x82", 2},         // an emoji
      {"e\xE2\x80\x8B", 1},            // with a zero-width space
      {"\033[31mx", 1},                // with a colour
      {"\033]0;title\ax", 1},          // with a window's title
      {"\t", 0},                       // a control character
      {"\xFF\xFE", 2},                 // two invalid bytes
      {"\xED\xA0\x80", 3},             // a surrogate is invalid
      {"\xC3", 1},                     // a character cut off
      {"\033[", 0},                    // a sequence cut off
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(utf8_width(rows[i].text, strlen(rows[i].text)), rows[i].columns);
  assert_int_equal(utf8_fit(rows[3].text, 6, 3), 3);
  assert_int_equal(utf8_fit("ab", 2, 9), 2);
}

static void hashes_are_fnv_1a(void **state) {
  (void)state;
  assert_true(hash_bytes("", 0) == UINT64_C(0xCBF29CE484222325));
  assert_true(hash_bytes("foobar", 6) == UINT64_C(0x85944171F73967E8));
}

static void the_machine_has_figures(void **state) {
  (void)state;
  struct machine machine;
  uint64_t total, available;
  machine_read(&machine);
  assert_true(machine.cpus >= 1 && machine.mem_total_bytes > machine.mem_available_bytes);
  assert_true(machine.cpu_total_ms >= machine.cpu_busy_ms && machine.cpu_busy_ms > 0);
  assert_non_null(strstr(machine.kernel, "Linux"));
  assert_int_equal(machine_disk("/", &total, &available), 0);
  assert_true(total >= available && total > 0);
  assert_int_equal(machine_disk("/absent", &total, &available), -ENOENT);
}

static void a_process_counts_its_descriptors_and_children(void **state) {
  (void)state;
  struct machine_self before, self;
  machine_read_self(&before);
  int fd = dup(0);
  pid_t pid = fork();
  if (!pid) _exit(0);
  machine_read_self(&self);
  assert_int_equal(self.fds, before.fds + 1);
  assert_int_equal(self.children, before.children + 1);
  assert_true(self.rss_bytes > 100000);
  waitpid(pid, NULL, 0);
  close(fd);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(a_file_is_replaced_appended_to_or_swapped),
      with_dir(a_swap_that_fails_leaves_nothing),
      with_dir(reading_says_what_is_wrong),
      with_dir(directories_are_made_listed_and_removed),
      with_dir(removing_a_tree_follows_no_link),
      with_dir(a_link_is_replaced_and_nothing_else_is),
      with_dir(a_lock_is_held_until_it_is_closed),
      with_dir(a_holder_that_has_only_just_come_is_named),
      with_dir(programs_are_found_as_exec_does),
      cmocka_unit_test(users_are_found_by_name_and_id),
      cmocka_unit_test(signals_have_names),
      cmocka_unit_test(widths_are_those_of_a_terminal),
      cmocka_unit_test(hashes_are_fnv_1a),
      cmocka_unit_test(the_machine_has_figures),
      cmocka_unit_test(a_process_counts_its_descriptors_and_children),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
