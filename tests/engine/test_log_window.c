// Windows into logs: filters, and lines that lie in many chunks, against a plain model.
#include "log_world.h"

enum { LINES_MAX = 20000 };

struct model {
  char *lines[LINES_MAX];
  unsigned count;
};

static unsigned seed = 4711;
static unsigned chance(unsigned below) {
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % below;
}

static void model_add(struct model *model, const char *line, size_t size) {
  assert_true(model->count < LINES_MAX);
  model->lines[model->count++] = strndup(line, size);
}

static void model_free(struct model *model) {
  for (unsigned i = 0; i < model->count; i++) free(model->lines[i]);
}

static size_t window(struct log_world *world, uint64_t id, struct line_filter filter,
                     const char *text, bool regex, struct lines *lines) {
  struct needle needle;
  char why[100];
  if (text) {
    struct needle_spec spec = {text, strlen(text), regex};
    assert_int_equal(needle_init(&needle, &spec, why, sizeof why), 0);
    filter.grep = &needle;
  }
  assert_int_equal(logs_lines(world->logs, id, &filter, lines), 0);
  if (text) needle_finish(&needle);
  return lines->count;
}

static void check_last(struct log_world *world, uint64_t id, int stream, const struct model *model,
                       size_t count) {
  struct lines lines = {0};
  struct line_filter filter = {.count = count, .stream = stream, .epoch = -1};
  size_t expected = count < model->count ? count : model->count;
  assert_int_equal(window(world, id, filter, NULL, false, &lines), expected);
  for (size_t i = 0; i < expected; i++) {
    const char *line = model->lines[model->count - expected + i];
    assert_int_equal(lines.items[i].size_bytes, strlen(line));
    assert_memory_equal(lines.items[i].text, line, strlen(line));
    assert_int_equal(lines.items[i].stream, stream);
  }
  lines_finish(&lines);
}

// Pieces of two streams, cut anywhere and written at once, so that lines lie in many chunks.
static void lines_in_many_chunks_are_put_together(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "pieces", 150000, 50);
  struct model models[2] = {0};
  char *text[2] = {malloc(4000000), malloc(4000000)};
  size_t size[2] = {0, 0}, at[2] = {0, 0};
  for (int i = 0; i < 2; i++)
    while (models[i].count < 3000) {
      size_t length = chance(50) ? chance(90) : chance(9000);
      size_t begin = size[i];
      for (size_t k = 0; k < length; k++) text[i][size[i]++] = (char)('a' + chance(26));
      model_add(&models[i], text[i] + begin, length);
      text[i][size[i]++] = '\n';
    }
  while (at[0] < size[0] || at[1] < size[1]) {
    int i = at[0] >= size[0] ? 1 : at[1] >= size[1] ? 0 : (int)chance(2);
    size_t piece = 1 + (chance(10) ? chance(200) : chance(5000));
    if (piece > size[i] - at[i]) piece = size[i] - at[i];
    logs_write(world->logs, id, i + 1, text[i] + at[i], piece);
    at[i] += piece;
    if (chance(3) == 0) assert_true(logs_flush(world->logs, 60000)); // writes what is unterminated
  }
  static const size_t counts[] = {1, 2, 10, 137, 1000, 2999, 3000, 5000};
  for (int i = 0; i < 2; i++)
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
      check_last(world, id, i + 1, &models[i], counts[k]);
  struct lines lines = {0};
  struct line_filter all = {.count = 10000, .epoch = -1};
  assert_int_equal(window(world, id, all, NULL, false, &lines), 6000);
  lines_finish(&lines);
  for (int i = 0; i < 2; i++) {
    free(text[i]);
    model_free(&models[i]);
  }
}

static void filters_choose_by_text_stream_epoch_and_time(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "filters", 4000, 50);
  char line[64];
  uint64_t middle_ms = 0;
  for (int i = 0; i < 1000; i++) {
    logs_epoch(world->logs, id, (uint32_t)(i / 250));
    if (i == 600) {
      assert_true(logs_flush(world->logs, 60000));
      log_world_turn(world, 5);
      middle_ms = loop_wall_ms();
      log_world_turn(world, 5);
    }
    snprintf(line, sizeof line, "number %d of many\n", i);
    logs_write(world->logs, id, i % 4 == 0 ? 2 : 1, line, strlen(line));
  }
  struct lines lines = {0};
  struct line_filter filter = {.count = 100, .epoch = -1};
  assert_int_equal(window(world, id, filter, "number 50", false, &lines), 11);
  assert_memory_equal(lines.items[0].text, "number 50 of", 12);
  lines_finish(&lines);
  assert_int_equal(window(world, id, filter, "^number [0-9]5 .*many$", true, &lines), 9);
  lines_finish(&lines);
  assert_int_equal(window(world, id, filter, "nowhere", false, &lines), 0);
  lines_finish(&lines);
  assert_int_equal(window(world, id, filter, "", false, &lines), 100);
  assert_memory_equal(lines.items[0].text, "number 900 of", 13);
  lines_finish(&lines);
  filter.count = 1000;
  filter.stream = 2;
  assert_int_equal(window(world, id, filter, NULL, false, &lines), 250);
  lines_finish(&lines);
  filter.epoch = 2;
  assert_int_equal(window(world, id, filter, NULL, false, &lines), 63);
  assert_memory_equal(lines.items[0].text, "number 500 of", 13);
  assert_int_equal(lines.items[0].epoch, 2);
  lines_finish(&lines);
  filter = (struct line_filter){.count = 1000, .epoch = -1, .since_ms = middle_ms};
  assert_int_equal(window(world, id, filter, NULL, false, &lines), 400);
  assert_memory_equal(lines.items[0].text, "number 600 of", 13);
  assert_true(lines.items[0].at_ms >= middle_ms);
  lines_finish(&lines);
  filter.count = 0;
  assert_int_equal(window(world, id, filter, NULL, false, &lines), 0);
  lines_finish(&lines);
}

static void what_is_not_written_yet_is_in_the_window(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "fresh", 0, 0);
  char line[32];
  for (int i = 0; i < 2000; i++) {
    int size = snprintf(line, sizeof line, "fresh %d\n", i);
    logs_write(world->logs, id, 1, line, (size_t)size);
    struct lines lines = {0};
    struct line_filter last = {.count = 2, .epoch = -1};
    assert_int_equal(window(world, id, last, NULL, false, &lines), i ? 2 : 1);
    const struct line *newest = &lines.items[lines.count - 1];
    assert_int_equal(newest->size_bytes, size - 1);
    assert_memory_equal(newest->text, line, (size_t)size - 1);
    lines_finish(&lines);
  }
}

// The writing thread rotates while windows are read: no line is missing, and none is there twice.
static void a_window_is_whole_while_files_change_their_names(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "moving", 60, 30);
  char line[64];
  for (int i = 0; i < 5000; i++) {
    int size = snprintf(line, sizeof line, "line %06d, of fifty bytes or so, in a file\n", i);
    logs_write(world->logs, id, 1, line, (size_t)size);
    struct lines lines = {0};
    struct line_filter last = {.count = 12, .epoch = -1};
    size_t expected = i < 12 ? (size_t)i + 1 : 12;
    assert_int_equal(window(world, id, last, NULL, false, &lines), expected);
    for (size_t k = 0; k < expected; k++)
      assert_int_equal(atoi(lines.items[k].text + 5), i - (int)expected + 1 + (int)k);
    lines_finish(&lines);
    if (i % 50 == 0) assert_true(logs_flush(world->logs, 60000)); // renaming is slower than writing
  }
}

static void a_flood_without_newlines_is_cut_into_lines(void **state) {
  struct log_world *world = *state;
  uint64_t id = log_world_log(world, "flood", 0, 0);
  char *text = malloc(1000000);
  memset(text, 'x', 1000000);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(logs_write(world->logs, id, 1, text, 100000), 0);
    if (i < 8) assert_true(logs_flush(world->logs, 60000)); // a slow machine's queue has an end
  }
  struct lines lines = {0};
  struct line_filter last = {.count = 3, .epoch = -1};
  assert_int_equal(window(world, id, last, NULL, false, &lines), 3);
  for (size_t i = 0; i < lines.count; i++) assert_true(lines.items[i].size_bytes <= 65536);
  lines_finish(&lines);
  last.line_max = 2000000;
  assert_int_equal(window(world, id, last, NULL, false, &lines), 1);
  assert_int_equal(lines.items[0].size_bytes, 1000000);
  lines_finish(&lines);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_world_open, log_world_close)
      TEST(lines_in_many_chunks_are_put_together),
      TEST(filters_choose_by_text_stream_epoch_and_time),
      TEST(what_is_not_written_yet_is_in_the_window),
      TEST(a_window_is_whole_while_files_change_their_names),
      TEST(a_flood_without_newlines_is_cut_into_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
