// The protected calls: errors of every kind, coroutines, and places where nobody can wait.
#include "host_world.h"

static void expect_zero(const char *body) {
  char source[8192];
  int length = snprintf(source, sizeof source, "return function(sys)\n%s\nreturn 0\nend", body);
  assert_in_range(length, 1, sizeof source - 1);
  assert_int_equal(host_world_run(source), 0);
}

static void errors_of_every_type_become_text(void **state) {
  (void)state;
  expect_zero("local function try(value)\n"
              "  local ok, err = sys.try(error, value, 0)\n"
              "  assert(ok == false and type(err.traceback) == 'string')\n"
              "  return err.message\n"
              "end\n"
              "local function shows(show)\n"
              "  return setmetatable({}, { __tostring = show })\n"
              "end\n"
              "assert(try('text') == 'text')\n"
              "assert(try(12) == '12')\n"
              "assert(try(nil) == 'an error without a message')\n"
              "assert(try(true) == 'true')\n"
              "assert(try({}):find '^table: ')\n"
              "assert(try(shows(function() return 'shown' end)) == 'shown')\n"
              "local hidden = \"an error of type table that can't be shown\"\n"
              "assert(try(shows(function() error 'again' end)) == hidden)\n"
              "assert(try(shows(function() return {} end)) == hidden)\n"
              "assert(try(shows(function(t) return tostring(t) end)) == hidden)");
}

static void a_traceback_leads_to_the_error(void **state) {
  (void)state;
  expect_zero(
      "local function inner() local x = nil; return x.y end\n"
      "local function outer() inner() return 1 end\n"
      "local ok, err = sys.try(outer)\n"
      "assert(not ok and err.message:find(\"pact/main.lua:2: attempt to index\", 1, true))\n"
      "assert(err.traceback:find('main.lua:2:', 1, true))\n"
      "assert(err.traceback:find('main.lua:3:', 1, true))");
}

static void results_and_arguments_pass_through(void **state) {
  (void)state;
  expect_zero("local r = table.pack(sys.try(function(...) return ..., nil end, 1, 2))\n"
              "assert(r.n == 3 and r[1] == true and r[2] == 1 and r[3] == nil)\n"
              "r = table.pack(sys.try(function() end))\n"
              "assert(r.n == 1 and r[1] == true)\n"
              "assert(sys.try(5) == false)\n"
              "assert(not pcall(sys.try))");
}

static void running_out_of_stack_is_an_error_like_others(void **state) {
  (void)state;
  expect_zero("local function down() return 1 + down() end\n"
              "local ok, err = sys.try(down)\n"
              "assert(not ok and err.message:find 'stack overflow')\n"
              "local t = setmetatable({}, {})\n"
              "getmetatable(t).__index = function(_, k) return t[k .. 'x'] end\n"
              "ok, err = sys.try(function() return t.a end)\n"
              "assert(not ok and type(err.message) == 'string')");
}

static void running_out_of_memory_is_an_error_like_others(void **state) {
  (void)state;
  expect_zero("local ok, err = sys.try(function() return ('x'):rep(1 << 27) end)\n"
              "assert(not ok and err.message:find 'not enough memory', err.message)\n"
              "ok, err = sys.try(function()\n"
              "  local t = {}\n"
              "  while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end\n"
              "end)\n"
              "assert(not ok and err.message:find 'not enough memory')\n"
              "assert(sys.try(function() return ('x'):rep(100) .. #{ 1, 2 } end))");
}

static void a_yield_passes_through_try(void **state) {
  (void)state;
  expect_zero("local co = coroutine.create(function(...)\n"
              "  local ok, a = sys.try(function(x) return coroutine.yield(x) end, ...)\n"
              "  local bad, err = sys.try(function() coroutine.yield() error 'late' end)\n"
              "  return ok, a, bad, err.message\n"
              "end)\n"
              "local ok, x = sys.resume(co, 0, 5)\n"
              "assert(ok and x == 5)\n"
              "assert(sys.resume(co, 0, 6))\n"
              "local ok2, tried, a, bad, message = sys.resume(co, 0)\n"
              "assert(ok2 and tried and a == 6 and bad == false)\n"
              "assert(message:find 'late$')");
}

static void resume_is_that_of_the_library(void **state) {
  (void)state;
  expect_zero(
      "local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b); error(c) end)\n"
      "local ok, sum = sys.resume(co, 100, 1, 2)\n"
      "assert(ok and sum == 3)\n"
      "local value = {}\n"
      "local bad, err = sys.resume(co, 100, value)\n"
      "assert(bad == false and err == value)\n"
      "assert(debug.traceback(co):find('main.lua:2:', 1, true))\n"
      "bad, err = sys.resume(co, 100)\n"
      "assert(bad == false and err == 'cannot resume dead coroutine')\n"
      "bad, err = sys.resume(coroutine.running(), 0)\n"
      "assert(bad == false and err == 'cannot resume non-suspended coroutine')\n"
      "assert(not pcall(sys.resume, co, -1))\n"
      "assert(not pcall(sys.resume, 5, 1))");
}

static void our_coroutine_library_is_like_the_one_it_replaces(void **state) {
  (void)state;
  expect_zero(
      "local closed = 0\n"
      "local function guard()\n"
      "  return setmetatable({}, { __close = function() closed = closed + 1 end })\n"
      "end\n"
      "local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)\n"
      "assert(gen() == 1 and gen() == 2 and gen() == 3 and gen() == nil)\n"
      "local ok, message = pcall(gen)\n"
      "assert(not ok and message:find 'cannot resume dead coroutine')\n"
      "ok, message = pcall(coroutine.wrap(function() local g <close> = guard(); error('no', 0) "
      "end))\n"
      "assert(not ok and message:find 'no$' and closed == 1)\n"
      "local e = {}\n"
      "ok, message = pcall(coroutine.wrap(function() error(e) end))\n"
      "assert(not ok and message == e)\n"
      "local co = coroutine.create(function() local g <close> = guard(); coroutine.yield() end)\n"
      "assert(coroutine.resume(co))\n"
      "assert(coroutine.close(co) and closed == 2 and coroutine.status(co) == 'dead')\n"
      "co = coroutine.create(function()\n"
      "  local g <close> = setmetatable({}, { __close = function() error('in close', 0) end })\n"
      "  coroutine.yield()\n"
      "end)\n"
      "coroutine.resume(co)\n"
      "ok, message = coroutine.close(co)\n"
      "assert(ok == false and message == 'in close')\n"
      "assert(not pcall(coroutine.close, coroutine.running()))\n"
      "co = coroutine.create(function() return select('#', coroutine.yield(nil, nil)) end)\n"
      "assert(select('#', coroutine.resume(co)) == 3)\n"
      "assert(select(2, coroutine.resume(co, nil, nil, nil)) == 3)\n"
      "local inner = coroutine.create(function() return coroutine.isyieldable() end)\n"
      "assert(select(2, coroutine.resume(inner)) == true)");
}

static void waiting_where_nobody_can_wait_says_where(void **state) {
  (void)state;
  expect_zero(
      "local function in_coroutine(f)\n"
      "  local ok, message = coroutine.resume(coroutine.create(f))\n"
      "  assert(not ok, 'it waited')\n"
      "  return message\n"
      "end\n"
      "local wait = coroutine.yield\n"
      "local function says(message, where)\n"
      "  assert(message:find(\"can't wait here: called from inside '\" .. where .. \"'\", 1, "
      "true), message)\n"
      "end\n"
      "says(in_coroutine(function() return ('x'):gsub('x', function() wait() end) end), 'gsub')\n"
      "says(in_coroutine(function() table.sort({ 2, 1 }, function() wait() end) end), 'sort')\n"
      "local t = setmetatable({}, { __tostring = function() wait() end })\n"
      "says(in_coroutine(function() return (tostring(t)) end), 'tostring')\n"
      "package.preload.waits = function() pcall(wait) wait() end\n"
      "says(in_coroutine(function() require 'waits' end), 'require')\n"
      "local ok, message = pcall(wait)\n"
      "assert(not ok and message:find \"can't wait here\")\n"
      "local co = coroutine.create(function()\n"
      "  local object = setmetatable({}, { __index = function() return wait() end })\n"
      "  for _ in function() return wait() end do end\n"
      "  return pcall(xpcall, function() return object.x end, print)\n"
      "end)\n"
      "assert(coroutine.resume(co) and coroutine.resume(co) and coroutine.status(co) == "
      "'suspended')");
}

static void texts_are_joined_wherever_the_stack_is(void **state) {
  (void)state;
  expect_zero("local meta = {}\n"
              "function meta.__concat(a, b)\n"
              "  return sys.join(a == meta.one and 'one' or a, b == meta.one and 'one' or b)\n"
              "end\n"
              "meta.one = setmetatable({}, meta)\n"
              "local function chain(length)\n"
              "  return load('local a, one = ... return ' .. ('a .. '):rep(length) .. 'one .. a')\n"
              "end\n"
              "for length = 1, 40 do\n"
              "  local fn = chain(length)\n"
              "  local co = coroutine.create(function() return fn('-', meta.one) end)\n"
              "  local ok, text = sys.resume(co, 0)\n"
              "  assert(ok and text == ('-'):rep(length) .. 'one-', text)\n"
              "  co = coroutine.create(function()\n"
              "    local inside\n"
              "    local pad = ('x'):gsub('x', function() inside = fn('-', meta.one) end)\n"
              "    table.sort({ 1, 2 }, function() assert(fn('-', meta.one) == inside) end)\n"
              "    return inside\n"
              "  end)\n"
              "  assert(select(2, sys.resume(co, 0)) == text)\n"
              "end\n"
              "assert(meta.one .. 'x' == 'onex' and 1 .. meta.one == '1one')\n"
              "local gone = coroutine.wrap(function() coroutine.yield(meta.one .. 'x') end)\n"
              "assert(gone() == 'onex' and gone() == nil)\n"
              "assert(sys.join(nil, true) == 'niltrue')");
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, host_world_setup, host_world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(errors_of_every_type_become_text),
      with_dir(a_traceback_leads_to_the_error),
      with_dir(results_and_arguments_pass_through),
      with_dir(running_out_of_stack_is_an_error_like_others),
      with_dir(running_out_of_memory_is_an_error_like_others),
      with_dir(a_yield_passes_through_try),
      with_dir(resume_is_that_of_the_library),
      with_dir(our_coroutine_library_is_like_the_one_it_replaces),
      with_dir(waiting_where_nobody_can_wait_says_where),
      with_dir(texts_are_joined_wherever_the_stack_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
