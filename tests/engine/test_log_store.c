// The log store: every byte, in order, whatever the programs, the disk and the neighbours do.

#include "log_world.h"

// A child that writes `lines` numbered lines of varying length to each of two descriptors.
static pid_t numbered_writer(const int fds[2], unsigned lines) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  static char buffer[2][256 << 10];
  size_t used[2] = {0, 0};
  for (unsigned line = 0; line < lines; line++)
    for (int i = 0; i < 2; i++) {
      int size = snprintf(buffer[i] + used[i], 200, "%d %u %.*s\n", i, line, (int)(line % 97),
                          "....................................................................."
                          ".............................");
      used[i] += (size_t)size;
      // Cut anywhere, in the middle of lines too.
      size_t most = 1 + (line * 7919u) % sizeof buffer[0];
      if (used[i] < most && used[i] < sizeof buffer[0] - 300 && line + 1 < lines) continue;
      for (size_t at = 0; at < used[i];) {
        ssize_t count = write(fds[i], buffer[i] + at, used[i] - at);
        if (count < 0) _exit(1);
        at += (size_t)count;
      }
      used[i] = 0;
    }
  _exit(0);
}

// The bytes of one stream, by the index; checks that the records cover the file without a gap.
static char *stream_bytes(struct log_world *world, const char *stem, int stream, size_t *size) {
  char file[64];
  snprintf(file, sizeof file, "%s.idx", stem);
  size_t index_size, log_size;
  char *index = log_world_read(world, file, &index_size);
  snprintf(file, sizeof file, "%s.log", stem);
  char *log = log_world_read(world, file, &log_size);
  struct index_header *header = (struct index_header *)index;
  assert_true(index_header_valid(header));
  struct index_record *records = (struct index_record *)(header + 1);
  size_t count = (index_size - sizeof *header) / sizeof *records;
  char *bytes = malloc(log_size + 1);
  uint64_t next = header->base_offset;
  *size = 0;
  for (size_t i = 0; i < count; i++) {
    assert_true(index_record_valid(&records[i]));
    assert_int_equal(records[i].offset, next);
    next += records[i].length;
    assert_true(next - header->base_offset <= log_size);
    char *chunk = log + (records[i].offset - header->base_offset);
    assert_int_equal(records[i].lines, index_count_newlines(chunk, records[i].length));
    if (records[i].stream != stream) continue;
    memcpy(bytes + *size, chunk, records[i].length);
    *size += records[i].length;
  }
  assert_int_equal(next - header->base_offset, log_size);
  free(index);
  free(log);
  return bytes;
}

static void check_numbered(const char *bytes, size_t size, int stream, unsigned lines) {
  const char *at = bytes, *end = bytes + size;
  for (unsigned line = 0; line < lines; line++) {
    char expected[64];
    int length = snprintf(expected, sizeof expected, "%d %u ", stream, line);
    assert_true(end - at > length);
    assert_memory_equal(at, expected, (size_t)length);
    at += length + (int)(line % 97);
    assert_int_equal(*at, '\n');
    at++;
  }
  assert_ptr_equal(at, end);
}

struct ended_wait {
  struct log_world *world;
  uint64_t id;
  pid_t pid;
  int status;
};

static bool writer_has_ended(void *context) {
  struct ended_wait *wait = context;
  return waitpid(wait->pid, &wait->status, WNOHANG) == wait->pid;
}

static void every_byte_of_two_streams_is_there_in_order(void **state) {
  struct log_world *world = *state;
  enum { LINES = 850000 }; // 100 MB
  uint64_t id = log_world_log(world, "web", UINT64_C(1) << 40, 0);
  int fds[2] = {log_world_pipe(world, id, 1), log_world_pipe(world, id, 2)};
  struct ended_wait wait = {world, id, numbered_writer(fds, LINES), 0};
  close(fds[0]);
  close(fds[1]);
  assert_true(net_turn_until(&world->turn, writer_has_ended, &wait, 60000));
  assert_int_equal(wait.status, 0);
  assert_true(logs_flush(world->logs, 60000));
  for (int stream = 1; stream <= 2; stream++) {
    size_t size;
    char *bytes = stream_bytes(world, "web", stream, &size);
    check_numbered(bytes, size, stream - 1, LINES);
    free(bytes);
  }
  // Lines are whole in the file, too.
  size_t size;
  char *log = log_world_read(world, "web.log", &size);
  for (char *at = log, *newline; at < log + size; at = newline + 1) {
    newline = memchr(at, '\n', (size_t)(log + size - at));
    assert_non_null(newline);
    assert_true((at[0] == '0' || at[0] == '1') && at[1] == ' ');
  }
  free(log);
}

static void bytes_without_any_newline_and_with_nuls_stay_as_they_are(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "bin", UINT64_C(1) << 40, 0);
  int fd = log_world_pipe(world, id, 1);
  enum { SIZE = 3000000 };
  unsigned char *sent = malloc(SIZE);
  unsigned seed = 1;
  for (size_t i = 0; i < SIZE; i++) {
    seed = seed * 1103515245u + 12345u;
    unsigned char byte = (unsigned char)(seed >> 16);
    sent[i] = byte == '\n' ? 0 : byte;
  }
  pid_t pid = fork();
  if (pid == 0) {
    for (size_t at = 0; at < SIZE;) {
      ssize_t count = write(fd, sent + at, at % 9973 + 1 < SIZE - at ? at % 9973 + 1 : SIZE - at);
      if (count < 0) _exit(1);
      at += (size_t)count;
    }
    _exit(0);
  }
  close(fd);
  assert_true(log_world_until(world, id, SIZE, 60000));
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  size_t size;
  char *bytes = stream_bytes(world, "bin", 1, &size);
  assert_int_equal(size, SIZE);
  assert_memory_equal(bytes, sent, SIZE);
  free(bytes);
  free(sent);
}

// False where the machine was too busy to tell: what is to be done within 250 ms took longer.
static bool waits_for_its_newline(struct log_world *world, const char *name, uint64_t *log_id) {
  uint64_t id = *log_id = log_world_log(world, name, 0, 0);
  char file[32];
  snprintf(file, sizeof file, "%s.log", name);
  int out = log_world_pipe(world, id, 1), err = log_world_pipe(world, id, 2);
  uint64_t began = loop_now_ms(&world->turn.loop);
  log_world_put(out, "begun, ");
  log_world_turn(world, 50);
  log_world_put(err, "a whole one\n");
  assert_true(log_world_until(world, id, 12, 60000));
  log_world_put(out, "ended\nPassword: ");
  assert_true(log_world_until(world, id, 25, 60000));
  char *log = log_world_read(world, file, NULL);
  uint64_t before = loop_now_ms(&world->turn.loop);
  bool in_time = before - began < 200;
  if (in_time) assert_string_equal(log, "a whole one\nbegun, ended\n");
  free(log);
  assert_true(log_world_until(world, id, 35, 60000));
  uint64_t waited = loop_now_ms(&world->turn.loop) - before;
  if (in_time) assert_true(waited >= 200);
  log_world_put(out, "secret\n");
  assert_true(log_world_until(world, id, 42, 60000));
  close(out);
  close(err);
  return in_time && waited <= 600;
}

static void an_unterminated_tail_waits_250_ms_for_its_newline(void **state) {
  struct log_world *world = *state;
  uint64_t id;
  char name[16];
  int tries = 0;
  do snprintf(name, sizeof name, "ask%d", tries);
  while (!waits_for_its_newline(world, name, &id) && ++tries < 40);
  assert_true(tries < 40);
  struct line_filter filter = {.count = 10, .epoch = -1};
  assert_string_equal(log_world_lines(world, id, &filter),
                      "2:a whole one|1:begun, ended|1:Password: secret|");
}

static void a_loop_that_comes_late_reads_before_it_gives_a_line_up(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "late", 0, 0);
  int out = log_world_pipe(world, id, 1), err = log_world_pipe(world, id, 2);
  log_world_put(out, "begun, ");
  log_world_turn(world, 50); // it is read, and held
  log_world_put(err, "another\n");
  log_world_put(out, "ended\n");
  usleep(400000);
  assert_true(log_world_until(world, id, 21, 60000));
  char *log = log_world_read(world, "late.log", NULL);
  assert_non_null(strstr(log, "begun, ended\n"));
  free(log);
  close(out);
  close(err);
}

static void last_words_are_there_when_the_leader_has_ended(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "job", 0, 0);
  int fd = log_world_pipe(world, id, 1);
  logs_epoch(world->logs, id, 7);
  log_world_put(fd, "one\nlast words");
  logs_leader_ended(world->logs, id, 1); // the pipe is still held, by us
  struct line_filter filter = {.count = 10, .epoch = 7};
  assert_string_equal(log_world_lines(world, id, &filter), "1:one|1:last words|");
  // What comes later still belongs to that incarnation, and after a second is an orphan's.
  logs_epoch(world->logs, id, 8);
  log_world_turn(world, 1100);
  log_world_put(fd, "\nfrom an orphan\n");
  assert_true(log_world_until(world, id, 30, 60000));
  assert_string_equal(log_world_lines(world, id, &filter), "1:one|1:last words|1:from an orphan|");
  size_t size;
  char *index = log_world_read(world, "job.idx", &size);
  struct index_record *last = (struct index_record *)(index + size) - 1;
  assert_int_equal(last->epoch, 7);
  assert_int_equal(last->flags, INDEX_ORPHANED | INDEX_CONTINUES);
  free(index);
  close(fd);
}

static void files_rotate_by_size_and_the_oldest_go(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "rot", 1000, 2);
  char line[128];
  for (int i = 0; i < 100; i++) {
    snprintf(line, sizeof line, "line %03d %.*s\n", i, 90,
             "..................................................................................."
             "...............");
    logs_write(world->logs, id, 1, line, strlen(line));
  }
  assert_true(logs_flush(world->logs, 60000));
  assert_null(log_world_read(world, "rot.log.3", NULL));
  char *oldest = log_world_read(world, "rot.log.2", NULL);
  char *newest = log_world_read(world, "rot.log", NULL);
  assert_non_null(oldest);
  assert_true(strlen(oldest) <= 1000 && strlen(newest) <= 1000);
  assert_non_null(strstr(newest, "line 099"));
  struct line_filter filter = {.count = 1000, .epoch = -1};
  struct lines lines = {0};
  assert_int_equal(logs_lines(world->logs, id, &filter, &lines), 0);
  int first = atoi(lines.items[0].text + 5);
  assert_int_equal(lines.count, 100 - first);
  for (size_t i = 0; i < lines.count; i++)
    assert_int_equal(atoi(lines.items[i].text + 5), first + (int)i);
  assert_int_equal(atoi(oldest + 5), first);
  lines_finish(&lines);
  free(oldest);
  free(newest);
}

static void a_log_is_continued_when_it_is_opened_again(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "again", 0, 2);
  logs_write(world->logs, id, 1, "first\n", 6);
  logs_close(world->logs, id);
  id = log_world_log(world, "again", 0, 2);
  struct log_stat stat;
  assert_int_equal(logs_stat(world->logs, id, &stat), 0);
  assert_int_equal(stat.size_bytes, 6);
  logs_write(world->logs, id, 1, "second\n", 7);
  struct line_filter filter = {.count = 10, .epoch = -1};
  assert_string_equal(log_world_lines(world, id, &filter), "1:first|1:second|");
  assert_int_equal(logs_write(world->logs, 9999, 1, "x", 1), -ENOENT);
}

static void a_log_without_bytes_has_its_files_soon_and_at_its_end(void **state) {
  struct log_world *world = *state;
  log_world_log(world, "quiet", 0, 0);
  for (int tries = 0; access(log_world_path(world, "quiet.idx"), F_OK) != 0; tries++) {
    assert_true(tries < 6000);
    usleep(10000);
  }
  assert_int_equal(access(log_world_path(world, "quiet.log"), F_OK), 0);
  logs_close(world->logs, log_world_log(world, "brief", 0, 0));
  assert_true(logs_flush(world->logs, 60000));
  assert_int_equal(access(log_world_path(world, "brief.log"), F_OK), 0);
}

static void formats_put_time_and_stream_before_each_line(void **state) {
  struct log_world *world = *state;
  static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};
  for (int i = 0; i < 2; i++) {
    struct log_options options = {
        .dir = world->dir, .name = i ? "json" : "text", .format = formats[i]};
    uint64_t id;
    assert_int_equal(logs_open(world->logs, &options, &id), 0);
    logs_write(world->logs, id, 1, "say \"hi\"\tC:\\x\n\xffmore\x1b\n", 21);
    logs_write(world->logs, id, 2, "un", 2);
    assert_true(logs_flush(world->logs, 60000));
    logs_write(world->logs, id, 2, "done\n", 5);
    assert_true(logs_flush(world->logs, 60000));
    char *log = log_world_read(world, i ? "json.log" : "text.log", NULL);
    if (i) {
      assert_non_null(
          strstr(log, "Z\",\"stream\":\"stdout\",\"text\":\"say \\\"hi\\\"\\tC:\\\\x\"}\n"));
      assert_non_null(strstr(log, "\"text\":\"\\\\xffmore\\u001b\"}\n"));
      assert_non_null(strstr(log, "\"stream\":\"stderr\",\"partial\":true,\"text\":\"un\"}\n"));
    } else {
      assert_non_null(strstr(log, "Z out  say \"hi\"\tC:\\x\n"));
      assert_non_null(strstr(log, "Z err+ un\n"));
      assert_non_null(strstr(log, "Z err  done\n"));
    }
    free(log);
    struct line_filter filter = {.count = 10, .epoch = -1};
    assert_string_equal(log_world_lines(world, id, &filter),
                        i ? "1:say \"hi\"\tC:\\x|1:\\xffmore\x1b|2:undone|"
                          : "1:say \"hi\"\tC:\\x|1:\xffmore\x1b|2:undone|");
  }
}

static void watches_hear_whole_lines_once(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "watch", 0, 0), plain, regex, none;
  char why[100];
  logs_write(world->logs, id, 1, "ready before\n", 13);
  struct needle_spec text = {"ready", 5, false}, expression = {"^[a-z]+ [0-9]+$", 15, true};
  struct needle_spec wrong = {"(", 1, true};
  assert_int_equal(logs_match(world->logs, id, &text, &plain, why, sizeof why), 0);
  assert_int_equal(logs_match(world->logs, id, &expression, &regex, why, sizeof why), 0);
  assert_int_equal(logs_match(world->logs, id, &wrong, &none, why, sizeof why), -EINVAL);
  int fd = log_world_pipe(world, id, 2);
  log_world_put(fd, "not yet\nport 8080\nrea");
  assert_true(log_world_until_events(world, 1, 60000));
  log_world_turn(world, 400); // the tail has been written, and looked at
  log_world_put(fd, "dy, now ");
  assert_true(log_world_until_events(world, 2, 60000));
  log_world_put(fd, "or ready later\nready again\n");
  assert_true(log_world_until_events(world, 3, 60000));
  log_world_turn(world, 50);
  assert_int_equal(world->count, 3);
  assert_int_equal(world->ids[0], regex);
  assert_string_equal(world->texts[0], "port 8080");
  assert_int_equal(world->ids[1], plain);
  assert_string_equal(world->texts[1], "ready, now ");
  assert_string_equal(world->texts[2], "ready again");
  assert_true(logs_cancel(world->logs, plain));
  assert_false(logs_cancel(world->logs, plain));
  log_world_put(fd, "ready\nport 1\n");
  assert_true(log_world_until_events(world, 4, 60000));
  assert_string_equal(world->texts[3], "port 1");
  close(fd);
}

static void watches_hear_so_many_lines_in_a_turn(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "flood", 0, 0), watch;
  char why[100], lines[10001];
  int fds[2];
  struct needle_spec text = {"y", 1, false};
  assert_int_equal(logs_match(world->logs, id, &text, &watch, why, sizeof why), 0);
  for (size_t i = 0; i < 5000; i++) memcpy(lines + 2 * i, "y\n", 3);
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
  int fd = fds[1];
  log_world_put(fd, lines); // all of it is there at the first look
  assert_int_equal(logs_attach(world->logs, id, 1, fds[0], 1, false), 0);
  assert_true(log_world_until_events(world, 4096, 60000));
  log_world_turn(world, 100);
  assert_int_equal(world->count, 4096);
  log_world_put(fd, "y again\n");
  assert_true(log_world_until_events(world, 4097, 60000));
  log_world_turn(world, 20);
  assert_int_equal(world->count, 4097);
  assert_int_equal(world->numbers[0], 0);
  assert_int_equal(world->numbers[4096], 5000 - 4096);
  close(fd);
}

static void output_is_told_only_when_asked_and_not_too_often(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "told", 0, 0);
  int fd = log_world_pipe(world, id, 1);
  log_world_put(fd, "quiet\n");
  log_world_turn(world, 60);
  assert_int_equal(world->count, 0);
  logs_notify(world->logs, id, LOG_FOLLOWED);
  log_world_put(fd, "loud\n");
  assert_true(log_world_until_events(world, 1, 60000));
  assert_int_equal(world->kinds[0], EV_OUTPUT);
  assert_int_equal(world->numbers[0], 11);
  uint64_t begin = loop_now_ms(&world->turn.loop);
  unsigned puts = 0;
  while (loop_now_ms(&world->turn.loop) - begin < 200 || world->count <= 3) {
    log_world_put(fd, "x\n");
    puts++;
    log_world_turn(world, 2);
  }
  for (int turns = 0; turns < 6000 && world->numbers[world->count - 1] < 11 + 2 * puts; turns++)
    log_world_turn(world, 10);
  unsigned most = (unsigned)(loop_now_ms(&world->turn.loop) - begin) / 25 + 2;
  assert_true(world->count > 3 && world->count <= most);
  assert_int_equal(world->numbers[world->count - 1], 11 + 2 * puts);
  logs_notify(world->logs, id, LOG_UNTOLD);
  unsigned before = world->count;
  log_world_put(fd, "quiet\n");
  log_world_turn(world, 60);
  assert_int_equal(world->count, before);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_world_open, log_world_close)
      TEST(every_byte_of_two_streams_is_there_in_order),
      TEST(bytes_without_any_newline_and_with_nuls_stay_as_they_are),
      TEST(an_unterminated_tail_waits_250_ms_for_its_newline),
      TEST(a_loop_that_comes_late_reads_before_it_gives_a_line_up),
      TEST(last_words_are_there_when_the_leader_has_ended),
      TEST(files_rotate_by_size_and_the_oldest_go),
      TEST(a_log_is_continued_when_it_is_opened_again),
      TEST(a_log_without_bytes_has_its_files_soon_and_at_its_end),
      TEST(formats_put_time_and_stream_before_each_line),
      TEST(watches_hear_whole_lines_once),
      TEST(watches_hear_so_many_lines_in_a_turn),
      TEST(output_is_told_only_when_asked_and_not_too_often),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
