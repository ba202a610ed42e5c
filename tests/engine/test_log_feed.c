// Feeds of logs: a window and what comes behind it, against a plain model, through rotation.
#include "log/feed.h"
#include "log_world.h"

static unsigned seed = 815;
static unsigned chance(unsigned below) {
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % below;
}

static struct feed *feed_of(struct feed_options options, const char *grep, bool regex) {
  struct needle needle;
  char why[100];
  if (grep) {
    struct needle_spec spec = {grep, strlen(grep), regex};
    assert_int_equal(needle_init(&needle, &spec, why, sizeof why), 0);
    options.grep = &needle;
  }
  return feed_create(&options);
}

static void add(struct log_world *world, struct feed *feed, const char *name) {
  char head[64];
  snprintf(head, sizeof head, "{\"of\":\"%s\",", name);
  feed_add(feed, world->dir, name, head, "}\n", false);
}

// Pulls until there is no more for now.
static enum feed_state pull_all(struct feed *feed, size_t size, struct bytes *out) {
  enum feed_state state;
  do state = feed_pull(feed, out->size + size, out);
  while (state == FEED_MORE || state == FEED_SOON);
  bytes_add(out, "", 1);
  out->size--;
  return state;
}

static void put(struct log_world *world, uint64_t log, int stream, const char *text) {
  usleep(2);
  assert_int_equal(logs_write(world->logs, log, stream, text, strlen(text)), 0);
  assert_true(logs_flush(world->logs, 60000));
}

// What stands in each object behind "text":, and of what, as "of:text|"; other fields behind it.
static const char *brief(struct bytes *out) {
  static char text[65536];
  size_t made = 0;
  bytes_add(out, "", 1);
  for (char *line = out->data; line && *line;) {
    char *end = strchr(line, '\n'), name[32], *value = strstr(line, "\"text\":\"");
    assert_int_equal(sscanf(line, "{\"of\":\"%31[^\"]", name), 1);
    value = value && value < end ? value + 8 : strstr(line, "\"missed\"");
    made += (size_t)snprintf(text + made, sizeof text - made, "%s:%.*s|", name,
                             (int)(end - value - 1), value);
    line = end + 1;
  }
  text[made] = '\0';
  out->size = 0;
  if (out->data) out->data[0] = '\0';
  return text;
}

static void lines_of_several_logs_come_in_the_order_of_time(void **state) {
  struct log_world *world = *state;
  uint64_t a = log_world_log(world, "a", 0, 2), b = log_world_log(world, "b", 0, 2);
  struct bytes out = {0};
  put(world, a, 1, "one\n");
  put(world, b, 1, "two\nthree\n");
  put(world, a, 2, "four \"\\\t\xff\n");
  struct feed *feed = feed_of((struct feed_options){.lines = 2, .follow = true}, NULL, false);
  add(world, feed, "a");
  add(world, feed, "b");
  add(world, feed, "later");
  assert_int_equal(pull_all(feed, 10, &out), FEED_IDLE);
  assert_string_equal(brief(&out), "a:one\"|b:two\"|b:three\"|a:four \\\"\\\\\\t\\\\xff\"|");
  put(world, b, 1, "five\n");
  put(world, a, 1, "six\n");
  uint64_t later = log_world_log(world, "later", 0, 2);
  put(world, later, 1, "seven\n");
  assert_int_equal(pull_all(feed, 10, &out), FEED_IDLE);
  assert_int_equal(out.size, 0); // nobody has woken it
  for (size_t i = 0; i < 3; i++) feed_wake(feed, i);
  pull_all(feed, 10, &out);
  assert_string_equal(brief(&out), "b:five\"|a:six\"|later:seven\"|");
  feed_destroy(feed);
  bytes_finish(&out);
}

static void a_window_ends_where_its_log_did_when_it_was_asked(void **state) {
  struct log_world *world = *state;
  uint64_t a = log_world_log(world, "a", 0, 2);
  struct bytes out = {0};
  put(world, a, 1, "one\ntwo\nthr");
  struct feed *feed = feed_of((struct feed_options){.lines = 2}, NULL, false);
  add(world, feed, "a");
  feed_pull(feed, 1, &out);
  assert_string_equal(brief(&out), "a:two\"|");
  put(world, a, 1, "ee\nfour\n");
  assert_int_equal(pull_all(feed, 100, &out), FEED_DONE);
  assert_string_equal(brief(&out), "a:thr\",\"partial\":true|");
  feed_destroy(feed);
  bytes_finish(&out);
}

static void tail_wait(struct log_world *world, uint64_t log, uint64_t size) {
  assert_true(log_world_until(world, log, size, 60000)); // an unterminated tail takes 250 ms
}

static void what_has_not_ended_is_given_as_it_comes(void **state) {
  struct log_world *world = *state;
  uint64_t a = log_world_log(world, "a", 0, 2);
  struct bytes out = {0};
  struct feed *feed =
      feed_of((struct feed_options){.lines = FEED_ALL, .follow = true}, NULL, false);
  struct feed *ends =
      feed_of((struct feed_options){.lines = FEED_ALL, .follow = true}, "ask: y", false);
  add(world, feed, "a");
  add(world, ends, "a");
  put(world, a, 1, "ask: ");
  tail_wait(world, a, 5);
  pull_all(feed, 100, &out);
  assert_string_equal(brief(&out), "a:ask: \",\"partial\":true|");
  pull_all(ends, 100, &out);
  assert_string_equal(brief(&out), "");
  put(world, a, 2, "other\n");
  put(world, a, 1, "yes\n");
  feed_wake(feed, 0);
  feed_wake(ends, 0);
  pull_all(feed, 100, &out);
  assert_string_equal(brief(&out), "a:other\"|a:yes\",\"continues\":true|");
  pull_all(ends, 100, &out);
  assert_string_equal(brief(&out), "a:ask: yes\"|");
  feed_destroy(feed);
  feed_destroy(ends);
  bytes_finish(&out);
}

static void what_is_deleted_before_it_was_pulled_is_told(void **state) {
  struct log_world *world = *state;
  uint64_t a = log_world_log(world, "a", 1000, 1);
  struct bytes out = {0};
  struct feed *feed = feed_of((struct feed_options){.lines = 10, .follow = true}, NULL, false);
  add(world, feed, "a");
  put(world, a, 1, "first\n");
  pull_all(feed, 100, &out);
  assert_string_equal(brief(&out), "a:first\"|");
  for (int i = 0; i < 500; i++) put(world, a, 1, "0123456789012345678\n");
  feed_wake(feed, 0);
  pull_all(feed, 100, &out);
  size_t missed = 0;
  assert_non_null(out.data);
  assert_int_equal(sscanf(out.data, "{\"of\":\"a\",\"missed\":%zu", &missed), 1);
  size_t lines = index_count_newlines(out.data, out.size) - 1;
  assert_true(lines > 40);
  assert_int_equal(6 + 500 * 20, 6 + missed + lines * 20);
  out.size = 0;
  put(world, a, 1, "last\n");
  feed_end(feed, &out);
  assert_string_equal(brief(&out), "a:\"missed\":5|");
  feed_destroy(feed);
  bytes_finish(&out);
}

enum { MODEL_MAX = 4000 };

struct model {
  char *lines[MODEL_MAX];
  unsigned count, matches;
};

static void put_random(struct log_world *world, uint64_t log, struct model *model) {
  char text[3000];
  size_t length = chance(40) ? chance(60) : chance(2900);
  for (size_t i = 0; i < length; i++) text[i] = (char)('a' + chance(26));
  assert_true(model->count < MODEL_MAX);
  model->lines[model->count++] = strndup(text, length);
  text[length++] = '\n';
  for (size_t at = 0; at < length;) {
    size_t piece = chance(5) ? length - at : 1 + chance((unsigned)(length - at));
    assert_int_equal(logs_write(world->logs, log, 1, text + at, piece), 0);
    at += piece;
    // What hasn't ended is only written when it is asked for
    if (chance(30) == 0) assert_true(logs_flush(world->logs, 60000));
  }
}

// All lines from `first` on, in order, each once.
static void check_lines(struct bytes *out, const struct model *model, unsigned first,
                        const char *grep) {
  char *line = out->data;
  for (unsigned i = first; i < model->count; i++) {
    if (grep && !strstr(model->lines[i], grep)) continue;
    char *end = line ? strchr(line, '\n') : NULL, *text = line ? strstr(line, "\"text\":\"") : NULL;
    assert_true(end && text && text < end);
    text += 8;
    size_t size = strlen(model->lines[i]);
    assert_int_equal(end - text, size + 2);
    assert_memory_equal(text, model->lines[i], size);
    line = end + 1;
  }
  assert_true(!line || line == out->data + out->size);
}

// Where the last `wanted` lines begin, of those that have `grep`.
static unsigned first_of_last(const struct model *model, unsigned wanted, const char *grep) {
  unsigned first = model->count;
  while (first > 0 && wanted > 0) {
    first--;
    if (!grep || strstr(model->lines[first], grep)) wanted--;
  }
  return first;
}

static void nothing_is_lost_or_doubled_between_a_window_and_what_comes(void **state) {
  struct log_world *world = *state;
  static const unsigned counts[] = {0, 1, 7, 100, 999, 3000};
  enum { FEEDS = 12 };
  struct feed *feeds[FEEDS];
  struct bytes outs[FEEDS] = {0};
  unsigned firsts[FEEDS];
  struct model model = {0};
  uint64_t log = log_world_log(world, "r", 20000, 200);
  for (unsigned i = 0; i < 1500; i++) put_random(world, log, &model);
  assert_true(logs_flush(world->logs, 60000));
  for (unsigned i = 0; i < FEEDS; i++) {
    const char *grep = i % 2 ? "ab" : NULL;
    unsigned wanted = counts[i / 2];
    feeds[i] = feed_of((struct feed_options){.lines = wanted, .follow = true}, grep, i % 4 == 1);
    add(world, feeds[i], "r");
    firsts[i] = first_of_last(&model, wanted, grep);
    feed_pull(feeds[i], 1, &outs[i]);
  }
  for (unsigned i = 0; i < 2000; i++) {
    put_random(world, log, &model);
    unsigned which = chance(FEEDS);
    feed_wake(feeds[which], 0);
    if (chance(3) == 0) feed_pull(feeds[which], outs[which].size + 1 + chance(5000), &outs[which]);
  }
  assert_true(logs_flush(world->logs, 60000));
  for (unsigned i = 0; i < FEEDS; i++) {
    feed_wake(feeds[i], 0);
    assert_int_equal(pull_all(feeds[i], 1 + chance(100000), &outs[i]), FEED_IDLE);
    check_lines(&outs[i], &model, firsts[i], i % 2 ? "ab" : NULL);
    feed_destroy(feeds[i]);
    bytes_finish(&outs[i]);
  }
  for (unsigned i = 0; i < model.count; i++) free(model.lines[i]);
}

static void filters_and_forms_are_those_of_windows(void **state) {
  struct log_world *world = *state;
  struct bytes out = {0};
  static const char *const names[] = {"raw", "text", "json"};
  for (int form = LOG_RAW; form <= LOG_JSON; form++) {
    uint64_t id;
    struct log_options options = {
        .dir = world->dir, .name = names[form], .max_files = 2, .format = (enum log_format)form};
    assert_int_equal(logs_open(world->logs, &options, &id), 0);
    put(world, id, 1, "out 1\nout 2\n");
    put(world, id, 2, "err 1\n");
    put(world, id, 1, "out 3\n");
    struct feed *feed = feed_of((struct feed_options){.lines = 2, .stream = 1}, NULL, false);
    add(world, feed, names[form]);
    assert_int_equal(pull_all(feed, 1, &out), FEED_DONE);
    char expected[100];
    snprintf(expected, sizeof expected, "%s:out 2\"|%s:out 3\"|", names[form], names[form]);
    assert_string_equal(brief(&out), expected);
    feed_destroy(feed);
    feed = feed_of((struct feed_options){.lines = FEED_ALL, .since_ms = UINT64_MAX / 2000}, NULL,
                   false);
    add(world, feed, names[form]);
    assert_int_equal(pull_all(feed, 1, &out), FEED_DONE);
    assert_string_equal(brief(&out), "");
    feed_destroy(feed);
  }
  bytes_finish(&out);
}

int main(void) {
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, log_world_open, log_world_close)
  const struct CMUnitTest tests[] = {
      LOG_TEST(lines_of_several_logs_come_in_the_order_of_time),
      LOG_TEST(a_window_ends_where_its_log_did_when_it_was_asked),
      LOG_TEST(what_has_not_ended_is_given_as_it_comes),
      LOG_TEST(what_is_deleted_before_it_was_pulled_is_told),
      LOG_TEST(nothing_is_lost_or_doubled_between_a_window_and_what_comes),
      LOG_TEST(filters_and_forms_are_those_of_windows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
