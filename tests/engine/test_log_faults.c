// What disks and people do to logs: no room, deleted and damaged files, readers in the way.
#include <errno.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "log_world.h"

static const struct line_filter everything = {.count = 100000, .epoch = -1};

static const char *umount_at_the_end;

static void put(struct log_world *world, uint64_t id, const char *text) {
  logs_write(world->logs, id, 1, text, strlen(text));
}

static void a_full_disk_stops_the_file_and_tells_how_much_was_lost(void **state) {
  struct log_world *world = *state;
  if (mount("none", world->dir, "tmpfs", 0, "size=256k,nr_inodes=10") != 0) {
    print_message("no right to mount: skipped\n");
    skip();
  }
  umount_at_the_end = world->dir;
  uint64_t id = log_world_log(world, "full", 0, 2);
  int ballast = open(log_world_path(world, "ballast"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  assert_int_equal(posix_fallocate(ballast, 0, 200 << 10), 0);
  char line[101];
  memset(line, 'x', 99);
  strcpy(line + 99, "\n");
  for (int i = 0; i < 1000; i++) {
    snprintf(line, 10, "%08d", i);
    line[8] = ' ';
    put(world, id, line);
  }
  assert_true(logs_flush(world->logs, 60000));
  assert_true(log_world_until_events(world, 1, 60000));
  assert_int_equal(world->kinds[0], EV_LOGFAULT);
  assert_non_null(strstr(world->texts[0], "full.log"));
  assert_non_null(strstr(world->texts[0], "No space left on device"));
  struct log_stat stat;
  assert_int_equal(logs_stat(world->logs, id, &stat), 0);
  assert_true(stat.lost_bytes > 0);
  assert_int_equal(stat.size_bytes + stat.lost_bytes, 100000);
  // The last lines can be looked at all the same.
  struct lines lines = {0};
  struct line_filter last = {.count = 3, .epoch = -1};
  assert_int_equal(logs_lines(world->logs, id, &last, &lines), 0);
  assert_int_equal(lines.count, 3);
  assert_memory_equal(lines.items[2].text, "00000999", 8);
  lines_finish(&lines);
  log_world_turn(world, 2200); // one more try without room: nothing is said again
  assert_int_equal(world->count, 1);
  assert_int_equal(ftruncate(ballast, 0), 0);
  assert_true(log_world_until_events(world, 2, 60000));
  assert_int_equal(world->kinds[1], EV_LOGFAULT);
  assert_null(world->texts[1]);
  assert_int_equal(world->numbers[1], stat.lost_bytes);
  put(world, id, "goes on\n");
  assert_true(logs_flush(world->logs, 60000));
  size_t size;
  char *log = log_world_read(world, "full.log", &size);
  char marker[100];
  snprintf(marker, sizeof marker, "\npactlua: %lu bytes are lost here",
           (unsigned long)stat.lost_bytes);
  assert_ptr_equal(strstr(log, marker), log + stat.size_bytes - 1);
  assert_string_equal(log + size - 8, "goes on\n");
  free(log);
  close(ballast);
}

static struct rlimit usual_files;

// So many more than there are now may be opened.
static void limit_descriptors(int left) {
  int next = dup(0);
  close(next);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual_files), 0);
  struct rlimit limit = {(rlim_t)(next + left), usual_files.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void unlimit_descriptors(void) {
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual_files), 0);
}

static void bytes_wait(struct log_world *world, int left) {
  uint64_t silent = log_world_log(world, "silent", 0, 2), id = log_world_log(world, "late", 0, 2);
  limit_descriptors(left);
  put(world, id, "first\n");
  log_world_turn(world, 300);
  put(world, id, "second\n");
  log_world_turn(world, 100);
  assert_int_equal(logs_unopened(world->logs), 2);
  unlimit_descriptors();
  uint64_t deadline = loop_now_ms(&world->turn.loop) + 60000;
  while (logs_unopened(world->logs)) {
    assert_true(loop_now_ms(&world->turn.loop) < deadline);
    log_world_turn(world, 20);
  }
  assert_true(logs_flush(world->logs, 60000));
  assert_int_equal(world->count, 0); // nothing was lost, and nothing is told
  char *log = log_world_read(world, "late.log", NULL);
  assert_string_equal(log, "first\nsecond\n");
  free(log);
  logs_close(world->logs, silent);
}

static void fault_22_without_descriptors_the_bytes_wait(void **state) {
  bytes_wait(*state, 0);
}

static void fault_22_with_a_single_descriptor_they_wait_too(void **state) {
  bytes_wait(*state, 1); // a log needs two
}

static void fault_22_a_log_that_closes_without_descriptors_is_gone(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "gone", 0, 2);
  limit_descriptors(0);
  put(world, id, "lost\n");
  log_world_turn(world, 300);
  logs_close(world->logs, id);
  assert_true(logs_flush(world->logs, 60000));
  unlimit_descriptors();
  assert_int_equal(logs_unopened(world->logs), 0);
}

static int close_and_umount(void **state) {
  if (umount_at_the_end) umount2(umount_at_the_end, MNT_DETACH);
  umount_at_the_end = NULL;
  return log_world_close(state);
}

static void a_deleted_directory_is_noticed_and_made_again(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "gone", 0, 2);
  put(world, id, "first\n");
  assert_true(logs_flush(world->logs, 60000));
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", world->dir);
  assert_int_equal(system(command), 0);
  uint64_t deadline = loop_now_ms(&world->turn.loop) + 60000;
  while (access(log_world_path(world, "gone.log"), F_OK) != 0) {
    assert_true(loop_now_ms(&world->turn.loop) < deadline);
    put(world, id, "tick\n");
    log_world_turn(world, 20);
  }
  put(world, id, "last\n");
  assert_true(logs_flush(world->logs, 60000));
  char *log = log_world_read(world, "gone.log", NULL);
  assert_non_null(strstr(log, "removed or replaced from outside"));
  assert_non_null(strstr(log, "last\n"));
  free(log);
  assert_true(log_world_until_events(world, 2, 60000));
  assert_non_null(strstr(world->texts[0], "removed or replaced"));
  assert_null(world->texts[1]);
  assert_non_null(strstr(log_world_lines(world, id, &everything), "1:last|"));
}

static void a_replaced_file_is_left_alone(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "swap", 0, 2);
  put(world, id, "first\n");
  assert_true(logs_flush(world->logs, 60000));
  int fd = open(log_world_path(world, "new"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  log_world_put(fd, "somebody else's\n");
  close(fd);
  char new_path[256];
  strcpy(new_path, log_world_path(world, "new"));
  assert_int_equal(rename(new_path, log_world_path(world, "swap.log")), 0);
  uint64_t deadline = loop_now_ms(&world->turn.loop) + 60000;
  while (!world->count) {
    assert_true(loop_now_ms(&world->turn.loop) < deadline);
    put(world, id, "tick\n");
    log_world_turn(world, 20);
  }
  char *theirs = log_world_read(world, "swap.log.1", NULL);
  assert_string_equal(theirs, "somebody else's\n");
  free(theirs);
}

// A log with 200 lines of stream 1 and 2 by turns, of epochs 1 and 2, closed.
static void make_log(struct log_world *world, const char *name) {
  uint64_t id = log_world_log(world, name, 0, 2);
  char line[32];
  for (int i = 0; i < 200; i++) {
    logs_epoch(world->logs, id, i < 100 ? 1 : 2);
    snprintf(line, sizeof line, "line %d\n", i);
    logs_write(world->logs, id, i % 2 + 1, line, strlen(line));
  }
  logs_close(world->logs, id);
  assert_true(logs_flush(world->logs, 60000));
}

static size_t count_lines(struct log_world *world, const char *name,
                          const struct line_filter *filter, struct lines *lines) {
  char stem[256];
  strcpy(stem, log_world_path(world, name));
  assert_int_equal(lines_read(lines, stem, filter, NULL, LINES_NO_END), 0);
  return lines->count;
}

static void check_all_200(struct log_world *world, const char *name) {
  struct lines lines = {0};
  assert_int_equal(count_lines(world, name, &everything, &lines), 200);
  for (int i = 0; i < 200; i++) {
    char line[32];
    int size = snprintf(line, sizeof line, "line %d", i);
    assert_int_equal(lines.items[i].size_bytes, size);
    assert_memory_equal(lines.items[i].text, line, (size_t)size);
  }
  lines_finish(&lines);
}

static void a_missing_or_damaged_index_hides_no_line(void **state) {
  struct log_world *world = *state;
  struct lines lines = {0};
  struct line_filter one = {.count = 1000, .stream = 1, .epoch = 2};
  make_log(world, "sound");
  check_all_200(world, "sound");
  assert_int_equal(count_lines(world, "sound", &one, &lines), 50);
  lines_finish(&lines);

  make_log(world, "missing");
  assert_int_equal(unlink(log_world_path(world, "missing.idx")), 0);
  check_all_200(world, "missing");

  make_log(world, "cut");
  assert_int_equal(truncate(log_world_path(world, "cut.idx"), 64 + 40 * 57 + 13), 0);
  check_all_200(world, "cut");

  make_log(world, "flipped"); // one damaged record: its neighbours are still believed
  int fd = open(log_world_path(world, "flipped.idx"), O_RDWR | O_CLOEXEC);
  assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff", 7, 64 + 40 * 120 + 20), 7);
  check_all_200(world, "flipped");
  assert_in_range(count_lines(world, "flipped", &one, &lines), 49, 50);
  lines_finish(&lines);
  assert_int_equal(pwrite(fd, "nonsense", 8, 0), 8); // and the header
  check_all_200(world, "flipped");
  close(fd);

  make_log(world, "far"); // a record whose end comes round to the beginning, its checksum right
  struct index_record far;
  fd = open(log_world_path(world, "far.idx"), O_RDWR | O_CLOEXEC);
  assert_int_equal(pread(fd, &far, sizeof far, 64 + 40 * 199), sizeof far);
  far.offset = UINT64_MAX - 9;
  far.length = 14;
  index_record_seal(&far);
  assert_int_equal(pwrite(fd, &far, sizeof far, 64 + 40 * 199), sizeof far);
  close(fd);
  check_all_200(world, "far");

  make_log(world, "shorter"); // the bytes are cut, the index tells of more
  char *log = log_world_read(world, "shorter.log", NULL);
  assert_int_equal(truncate(log_world_path(world, "shorter.log"), strstr(log, "line 100") - log),
                   0);
  free(log);
  assert_int_equal(count_lines(world, "shorter", &everything, &lines), 100);
  lines_finish(&lines);

  char stem[256];
  strcpy(stem, log_world_path(world, "nothing"));
  assert_int_equal(lines_read(&lines, stem, &everything, NULL, LINES_NO_END), -ENOENT);
}

static void an_index_of_noise_crashes_nothing(void **state) {
  struct log_world *world = *state;
  make_log(world, "noise");
  unsigned seed = 12345;
  for (int round = 0; round < 200; round++) {
    int fd = open(log_world_path(world, "noise.idx"), O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 1 + round % 20; i++) {
      seed = seed * 1103515245u + 12345u;
      unsigned char byte = (unsigned char)(seed >> 16);
      assert_int_equal(pwrite(fd, &byte, 1, (off_t)(seed >> 8) % (64 + 40 * 200)), 1);
    }
    close(fd);
    struct lines lines = {0};
    struct line_filter filter = {.count = 50, .epoch = -1};
    assert_int_equal(count_lines(world, "noise", &filter, &lines), 50);
    lines_finish(&lines);
  }
  // It can be gone on with, too.
  uint64_t id = log_world_log(world, "noise", 0, 2);
  put(world, id, "more\n");
  assert_true(logs_flush(world->logs, 60000));
  assert_non_null(strstr(log_world_lines(world, id, &everything), "1:more|"));
}

static void a_file_that_somebody_reads_is_not_deleted(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "held", 100, 1);
  char line[64];
  memset(line, '.', 60);
  strcpy(line + 59, "\n");
  put(world, id, line);
  assert_true(logs_flush(world->logs, 60000));
  int fd = open(log_world_path(world, "held.idx"), O_RDONLY | O_CLOEXEC);
  assert_int_equal(flock(fd, LOCK_SH), 0);
  for (int i = 0; i < 6; i++) put(world, id, line);
  assert_true(logs_flush(world->logs, 60000));
  assert_int_equal(access(log_world_path(world, "held.log.6"), F_OK), 0);
  assert_int_equal(access(log_world_path(world, "held.log.3"), F_OK), 0);
  close(fd);
  put(world, id, line);
  assert_true(logs_flush(world->logs, 60000));
  assert_int_not_equal(access(log_world_path(world, "held.log.2"), F_OK), 0);
  assert_int_equal(access(log_world_path(world, "held.log.1"), F_OK), 0);
}

static void opening_says_what_is_wrong(void **state) {
  struct log_world *world = *state;
  uint64_t id;
  struct log_options options = {.dir = "/nowhere/at/all", .name = "x"};
  assert_int_equal(logs_open(world->logs, &options, &id), -ENOENT);
  options = (struct log_options){.dir = world->dir, .name = "a/b"};
  assert_int_equal(logs_open(world->logs, &options, &id), -EINVAL);
  logs_write(world->logs, log_world_log(world, "twice", 0, 0), LOG_OURS, "x\n", 2);
  assert_true(logs_flush(world->logs, 60000));
  options.name = "twice";
  assert_int_equal(logs_open(world->logs, &options, &id), -EBUSY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_world_open, close_and_umount)
      TEST(a_full_disk_stops_the_file_and_tells_how_much_was_lost),
      TEST(fault_22_without_descriptors_the_bytes_wait),
      TEST(fault_22_with_a_single_descriptor_they_wait_too),
      TEST(fault_22_a_log_that_closes_without_descriptors_is_gone),
      TEST(a_deleted_directory_is_noticed_and_made_again),
      TEST(a_replaced_file_is_left_alone),
      TEST(a_missing_or_damaged_index_hides_no_line),
      TEST(an_index_of_noise_crashes_nothing),
      TEST(a_file_that_somebody_reads_is_not_deleted),
      TEST(opening_says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
