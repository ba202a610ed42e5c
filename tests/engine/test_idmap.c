// The map from ids to objects.
#include "check.h"

#include <stdlib.h>

#include "base/idmap.h"

static void *value_of(uint64_t id) {
  return (void *)(uintptr_t)(id * 16);
}

static void an_empty_map_finds_nothing(void **state) {
  (void)state;
  struct idmap map = {0};
  size_t at = 0;
  assert_null(idmap_get(&map, 1));
  assert_null(idmap_get(&map, 0));
  assert_null(idmap_remove(&map, 7));
  assert_false(idmap_next(&map, &at, NULL, NULL));
  idmap_finish(&map);
}

static void what_was_set_is_found_until_it_is_removed(void **state) {
  (void)state;
  struct idmap map = {0};
  for (uint64_t id = 1; id <= 5000; id++) idmap_set(&map, id, value_of(id));
  assert_int_equal(map.count, 5000);
  for (uint64_t id = 1; id <= 5000; id += 2) assert_ptr_equal(idmap_remove(&map, id), value_of(id));
  for (uint64_t id = 1; id <= 5000; id++)
    assert_ptr_equal(idmap_get(&map, id), id % 2 ? NULL : value_of(id));
  assert_int_equal(map.count, 2500);
  idmap_finish(&map);
}

static void setting_again_replaces(void **state) {
  (void)state;
  struct idmap map = {0};
  idmap_set(&map, 9, value_of(1));
  idmap_set(&map, 9, value_of(2));
  assert_int_equal(map.count, 1);
  assert_ptr_equal(idmap_get(&map, 9), value_of(2));
  idmap_remove(&map, 9);
  idmap_set(&map, 9, value_of(3));
  assert_int_equal(map.count, 1);
  assert_ptr_equal(idmap_get(&map, 9), value_of(3));
  idmap_finish(&map);
}

// Ids are never used twice, so a map sees ever new ones: what is gone must not fill it.
static void a_million_short_lives_need_little_room(void **state) {
  (void)state;
  struct idmap map = {0};
  for (uint64_t id = 1; id <= 1000000; id++) {
    idmap_set(&map, id, value_of(id));
    if (id > 10 && idmap_remove(&map, id - 10) != value_of(id - 10)) fail();
  }
  assert_int_equal(map.count, 10);
  assert_in_range(map.capacity, 16, 256);
  idmap_finish(&map);
}

static void a_visit_meets_each_pair_once_and_may_remove_it(void **state) {
  (void)state;
  struct idmap map = {0};
  uint64_t sum = 0, id;
  size_t at = 0;
  for (uint64_t i = 1; i <= 100; i++) idmap_set(&map, i, value_of(i));
  for (void *value; idmap_next(&map, &at, &id, &value);) {
    assert_ptr_equal(value, value_of(id));
    sum += id;
    idmap_remove(&map, id);
  }
  assert_int_equal(sum, 5050);
  assert_int_equal(map.count, 0);
  idmap_finish(&map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_map_finds_nothing),
      cmocka_unit_test(what_was_set_is_found_until_it_is_removed),
      cmocka_unit_test(setting_again_replaces),
      cmocka_unit_test(a_million_short_lives_need_little_room),
      cmocka_unit_test(a_visit_meets_each_pair_once_and_may_remove_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
