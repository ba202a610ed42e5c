// JSON as the engine writes it: what it takes, and what it leaves to Lua.
#include "host_world.h"

// Rows are calls of `expect(value, text)`; nil: it is left to Lua.
static void expect(const char *rows) {
  char source[4096];
  snprintf(source, sizeof source,
           "return function(sys)\n"
           "  local null = setmetatable({}, { __name = 'null' })\n"
           "  local function array(t) return setmetatable(t, { __json = 'array' }) end\n"
           "  local function expect(value, text)\n"
           "    local got = sys.text.json(value, null)\n"
           "    if got ~= text then\n"
           "      error(('%%s instead of %%s'):format(tostring(got), tostring(text)), 2)\n"
           "    end\n"
           "  end\n"
           "  %s\n"
           "  return 7\n"
           "end",
           rows);
  assert_int_equal(host_world_run(source), 7);
}

static void plain_values_and_what_they_are_made_into(void **state) {
  (void)state;
  expect("expect('a', '\"a\"') expect('', '\"\"') expect(true, 'true') expect(false, 'false')\n"
         "expect(null, 'null') expect(0, '0') expect(math.mininteger, '-9223372036854775808')\n"
         "expect('a\"b\\\\\\n\\0\\127\\27', [[\"a\\\"b\\\\\\n\\u0000\\u007f\\u001b\"]])\n"
         "expect('grün ✔ 😀', '\"grün ✔ 😀\"')");
}

static void objects_are_sorted_and_arrays_told_from_them(void **state) {
  (void)state;
  expect("expect({}, '{}') expect(array {}, '[]') expect({ 1, 'x', null }, '[1,\"x\",null]')\n"
         "expect({ b = 1, a = { c = {} }, ab = true, [''] = 2 },\n"
         "  '{\"\":2,\"a\":{\"c\":{}},\"ab\":true,\"b\":1}')\n"
         "expect({ ['a\\0b'] = 1, a = 2, ['a b'] = 3 }, [[{\"a\":2,\"a\\u0000b\":1,\"a b\":3}]])\n"
         "expect(array { { 1 }, array {} }, '[[1],[]]')\n"
         "local shared = { 1 }\n"
         "expect({ a = shared, b = shared }, '{\"a\":[1],\"b\":[1]}')");
}

static void large_texts_outgrow_what_is_at_hand(void **state) {
  (void)state;
  expect("local long = ('x'):rep(100000)\n"
         "expect({ long, { a = long } }, '[\"' .. long .. '\",{\"a\":\"' .. long .. '\"}]')\n"
         "local many = {}\n"
         "for i = 1, 3000 do many[i] = i end\n"
         "expect(many, '[' .. table.concat(many, ',') .. ']')");
}

static void what_needs_more_than_a_look_is_left_alone(void **state) {
  (void)state;
  expect("for _, value in ipairs {\n"
         "  0.5, 1e300, 0 / 0, print, coroutine.create(print), 'x\\255', 'x\\xed\\xa0\\x80', "
         "'\\xc3',\n"
         "  { [2] = 1 }, { 1, a = 1 }, { 1, [3] = 1 }, { [1.5] = 1 }, { [true] = 1 },\n"
         "  setmetatable({}, {}), setmetatable({}, { __json = 1 }), { a = { b = 0.5 } },\n"
         "  { ['\\255'] = 1 },\n"
         "} do expect(value, nil) expect({ value }, nil) end\n"
         "local loop, wide, deep = {}, {}, 1\n"
         "loop.a, loop.b = loop, loop\n"
         "for i = 1, 65 do wide['k' .. i] = i end\n"
         "for _ = 1, 40 do deep = { deep } end\n"
         "expect(loop, nil) expect(wide, nil) expect(deep, nil)\n"
         "assert(not pcall(sys.text.json))");
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, host_world_setup, host_world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(plain_values_and_what_they_are_made_into),
      with_dir(objects_are_sorted_and_arrays_told_from_them),
      with_dir(large_texts_outgrow_what_is_at_hand),
      with_dir(what_needs_more_than_a_look_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
