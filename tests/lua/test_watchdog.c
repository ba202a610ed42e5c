// Code that hogs the processor is left, wherever it hides; code that doesn't is never touched.
#include "host_world.h"

// `hog` is what runs under a budget of 50 ms; it must be left with the watchdog's error.
static void expect_left(const char *hog) {
  static const char frame[] =
      "return function(sys)\n"
      "  local spin = function() while true do end end\n"
      "  local co = coroutine.create(function() %s end)\n"
      "  local before = sys.time.now()\n"
      "  local ok, message = sys.resume(co, 50)\n"
      "  assert(not ok and coroutine.status(co) == 'dead', 'it was not left')\n"
      "  local place = 'pact/main.lua:%%d+: interrupted: ran for more than 50 ms without waiting'\n"
      "  assert(tostring(message):find(place), message)\n"
      "  assert(sys.time.now() - before < 5000)\n"
      "  for i = 1, 1000 do pcall(error) end\n" // nothing is left behind here
      "  return 0\n"
      "end";
  char source[4096];
  int length = snprintf(source, sizeof source, frame, hog);
  assert_in_range(length, 1, sizeof source - 1);
  assert_int_equal(host_world_run(source), 0);
}

static void an_endless_loop(void **state) {
  (void)state;
  expect_left("spin()");
}

static void an_endless_loop_of_pcalls(void **state) {
  (void)state;
  expect_left("while true do pcall(spin) end");
}

static void an_endless_loop_of_xpcalls_with_handlers_in_lua(void **state) {
  (void)state;
  expect_left("while true do xpcall(spin, function(m) while true do end return m end) end");
}

static void endless_loops_in_coroutines_of_its_own(void **state) {
  (void)state;
  expect_left("while true do coroutine.wrap(function() pcall(spin) end)() end");
  expect_left("while true do coroutine.resume(coroutine.create(spin)) end");
  expect_left("local function nest(n)\n"
              "  if n == 0 then spin() end\n"
              "  while true do pcall(coroutine.wrap(nest), n - 1) end\n"
              "end nest(20)");
}

static void coroutines_that_hand_over_to_each_other(void **state) {
  (void)state;
  expect_left("local a = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
              "while true do pcall(a) end");
}

static void handlers_that_never_close(void **state) {
  (void)state;
  expect_left("local x <close> = setmetatable({}, { __close = spin }) spin()");
  expect_left("local co = coroutine.create(function()\n"
              "  local x <close> = setmetatable({}, { __close = spin }) coroutine.yield() end)\n"
              "coroutine.resume(co) while true do pcall(coroutine.close, co) end");
}

static void metamethods_and_functions_of_c_that_call_back(void **state) {
  (void)state;
  expect_left("local t = setmetatable({}, { __index = function(t, k) return t[k] end })\n"
              "while true do pcall(function() return t.x end) end");
  expect_left("local t = {} for i = 1, 100 do t[i] = i end\n"
              "while true do pcall(table.sort, t, function(a, b) return a < b end) end");
  expect_left(
      "while true do pcall(string.gsub, ('x'):rep(1000), 'x', function() pcall(spin) end) end");
}

// What the standard library's functions would take hours or for ever for, in C.
static void patterns_that_go_back_without_end(void **state) {
  (void)state;
  static const char *const calls[] = {
      "find(s, p)",        "match(s, p)",           "gsub(s, p, '')",          "gmatch(s, p)()",
      "find(s, lazy)",     "find(s, greedy)",       "find(long, 'a*b')",       "find(long, '.-b')",
      "find(long, wide)",  "find(long, 'a-%bab')",  "gsub(open, '%b()', '')",  "match(s, lazy)",
      "find(long, front)", "find(long, '(a*)%1b')", "gsub(long, '', quietly)",
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    char hog[1024];
    snprintf(hog, sizeof hog,
             "local s, long, open = ('a'):rep(60), ('a'):rep(1000000), ('('):rep(1000000)\n"
             "local p, lazy, greedy = ('a?'):rep(60) .. s, ('a-'):rep(60) .. 'b', ('a*'):rep(60) "
             ".. 'b'\n"
             "local wide = '[' .. ('b'):rep(100000) .. 'a]*c'\n"
             "local front = '%%f[' .. ('b'):rep(100000) .. ']'\n"
             "local function quietly() pcall(string.find, s, p) end\n"
             "string.%s",
             calls[i]);
    expect_left(hog);
  }
  expect_left(
      "while true do pcall(string.find, ('a'):rep(60), ('a?'):rep(60) .. ('a'):rep(60)) end");
  expect_left("coroutine.wrap(string.find)(('a'):rep(60), ('a?'):rep(60) .. ('a'):rep(60))");
}

static void lengths_that_lie(void **state) {
  (void)state;
  expect_left("table.move({}, 1, math.maxinteger - 1, 2)");
  expect_left("table.move({}, 1, math.maxinteger - 1, 1, {})");
  expect_left("local t = setmetatable({}, { __len = function() return 1 << 60 end })\n"
              "while true do pcall(table.insert, t, 1, 'x') end");
  expect_left("table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)");
  expect_left(
      "table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = rawlen }))");
}

static void functions_of_c_that_call_each_other(void **state) {
  (void)state;
  expect_left("table.concat(setmetatable({}, { __index = table.concat }), '', 1, 1 << 60)");
  expect_left("while true do pcall(load, os.time) end");
  expect_left("while true do pcall(string.gsub, ('x'):rep(100000), 'x', string.upper) end");
}

static void nothing_repeated_for_ever_is_nothing(void **state) {
  (void)state;
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  assert((''):rep(1 << 60) == '' and (''):rep(1 << 60, '') == '')\n"
                     "  return 0\n"
                     "end"),
      0);
}

static void a_finalizer_that_never_ends(void **state) {
  (void)state;
  int before = host_world_listen();
  int status = host_world_run(
      "return function(sys)\n"
      "  local others = 0\n"
      "  local loops = { __gc = function() while true do pcall(function() while true do end end) "
      "end end }\n"
      "  local counts = { __gc = function() others = others + 1 coroutine.yield() end }\n"
      "  local co = coroutine.create(function()\n"
      "    for i = 1, 3 do setmetatable({}, counts) end\n"
      "    setmetatable({}, loops)\n"
      "    for i = 1, 3 do setmetatable({}, counts) end\n"
      "    collectgarbage()\n"
      "    return 'whole'\n" // what finalizers take isn't its own
      "  end)\n"
      "  local ok, result = sys.resume(co, 150)\n"
      "  assert(ok and result == 'whole' and others == 6, result)\n"
      "  return 0\n"
      "end");
  char *heard = host_world_heard(before);
  assert_int_equal(status, 0);
  assert_non_null(strstr(heard, "pactlua: error in a finalizer: "));
  assert_non_null(strstr(heard, "main.lua:3: interrupted: ran for more than 250 ms"));
  assert_non_null(strstr(heard, "can't wait here"));
  free(heard);
}

static void a_try_inside_is_no_shelter(void **state) {
  (void)state;
  expect_left("while true do sys.try(spin) end");
}

static void a_budget_inside_a_budget_is_its_own(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys)\n"
                                  "  local function spin() while true do end end\n"
                                  "  local outer = coroutine.create(function()\n"
                                  "    for i = 1, 3 do\n"
                                  "      local ok = sys.resume(coroutine.create(spin), 100)\n"
                                  "      assert(ok == false)\n"
                                  "    end\n"
                                  "    return 'whole'\n" // 300 ms passed, none of them its own
                                  "  end)\n"
                                  "  local ok, result = sys.resume(outer, 150)\n"
                                  "  assert(ok and result == 'whole', result)\n"
                                  "  return 0\n"
                                  "end"),
                   0);
}

static void without_a_budget_nothing_is_interrupted(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys)\n"
                                  "  local co = coroutine.create(function()\n"
                                  "    local stop = sys.time.now() + 400\n"
                                  "    while sys.time.now() < stop do end\n"
                                  "    return 'done'\n"
                                  "  end)\n"
                                  "  local ok, result = sys.resume(co, 0)\n"
                                  "  assert(ok and result == 'done')\n"
                                  "  return 0\n"
                                  "end"),
                   0);
}

static void many_short_runs_are_no_hog(void **state) {
  (void)state;
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  local function short()\n"
                     "    while true do for i = 1, 1000 do end coroutine.yield() end\n"
                     "  end\n"
                     "  local co, stop = coroutine.create(short), sys.time.now() + 300\n"
                     "  while sys.time.now() < stop do assert(sys.resume(co, 50)) end\n"
                     "  return 0\n"
                     "end"),
      0);
}

// It has no processor while it waits in the kernel, and a machine that is busy with others is no
// fault of its own.
static void a_wait_in_the_kernel_is_not_taken_for_a_hog_at_once(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys)\n"
                                  "  local co = coroutine.create(function()\n"
                                  "    return os.execute 'sleep 0.3'\n"
                                  "  end)\n"
                                  "  local ok, result = sys.resume(co, 50)\n"
                                  "  assert(ok, result)\n"
                                  "  return 0\n"
                                  "end"),
                   0);
}

static void one_that_was_interrupted_harms_no_other(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys)\n"
                                  "  local kept = coroutine.create(function()\n"
                                  "    while true do coroutine.yield() for i = 1, 1e5 do end end\n"
                                  "  end)\n"
                                  "  coroutine.resume(kept)\n"
                                  "  local hog = coroutine.create(function()\n"
                                  "    while true do coroutine.resume(kept) end\n"
                                  "  end)\n"
                                  "  assert(not sys.resume(hog, 50))\n"
                                  "  local fresh = coroutine.create(function() return 1 + 1 end)\n"
                                  "  assert(select(2, sys.resume(fresh, 50)) == 2)\n"
                                  "  if coroutine.status(kept) == 'suspended' then\n"
                                  "    assert(sys.resume(kept, 5000))\n"
                                  "  end\n"
                                  "  return 0\n"
                                  "end"),
                   0);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, host_world_setup, host_world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(an_endless_loop),
      with_dir(an_endless_loop_of_pcalls),
      with_dir(an_endless_loop_of_xpcalls_with_handlers_in_lua),
      with_dir(endless_loops_in_coroutines_of_its_own),
      with_dir(coroutines_that_hand_over_to_each_other),
      with_dir(handlers_that_never_close),
      with_dir(metamethods_and_functions_of_c_that_call_back),
      with_dir(patterns_that_go_back_without_end),
      with_dir(lengths_that_lie),
      with_dir(functions_of_c_that_call_each_other),
      with_dir(nothing_repeated_for_ever_is_nothing),
      with_dir(a_finalizer_that_never_ends),
      with_dir(a_try_inside_is_no_shelter),
      with_dir(a_budget_inside_a_budget_is_its_own),
      with_dir(without_a_budget_nothing_is_interrupted),
      with_dir(many_short_runs_are_no_hog),
      with_dir(a_wait_in_the_kernel_is_not_taken_for_a_hog_at_once),
      with_dir(one_that_was_interrupted_harms_no_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
