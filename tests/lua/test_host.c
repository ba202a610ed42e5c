// What a process of Lua is: how it starts and ends, where its code may come from, what it says
// when something goes wrong.
#include "host_world.h"

#include <signal.h>

#include "host/verb.h"

static void the_entry_gets_sys_and_may_end_at_once(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys)\n"
                                  "  assert(sys.role == 'solo' and sys.program == '/bin/pactlua')\n"
                                  "  assert(#sys.args == 2 and sys.args[2] == 'x.lua')\n"
                                  "  return 42\n"
                                  "end"),
                   42);
}

static void without_an_integer_the_loop_runs_until_stop(void **state) {
  (void)state;
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  local seen = {}\n"
                     "  local first, second = sys.time.after(5), sys.time.after(1)\n"
                     "  sys.cancel(sys.time.after(2))\n"
                     "  sys.dispatch(function(id, kind)\n"
                     "    assert(kind == 'timer')\n"
                     "    seen[#seen + 1] = id\n"
                     "  end)\n"
                     "  sys.turn(function()\n"
                     "    if #seen == 2 then\n"
                     "      sys.stop(seen[1] == second and seen[2] == first and 7 or 1)\n"
                     "    end\n"
                     "  end)\n"
                     "end"),
      7);
}

static void a_death_by_signal_can_be_asked_for(void **state) {
  (void)state;
  assert_int_equal(host_world_run("return function(sys) sys.stop(256 + 2) end"), 256 + SIGINT);
}

static void an_uncaught_error_is_told_with_its_traceback(void **state) {
  (void)state;
  int before = host_world_listen();
  int status = host_world_run("local function deep() error('broken') end\n"
                              "return function(sys) deep() end");
  char *heard = host_world_heard(before);
  assert_int_equal(status, 1);
  assert_non_null(strstr(heard, "pact/main.lua:1: broken\n"));
  assert_non_null(strstr(heard, "stack traceback:"));
  assert_non_null(strstr(heard, "pact/main.lua:2:"));
  free(heard);
}

static void a_script_that_hoards_memory_leaves_some_to_the_library(void **state) {
  (void)state;
  assert_int_equal(
      host_world_run(
          "local hoard = {}\n"
          "return function(sys)\n"
          "  local co = coroutine.create(function()\n"
          "    while true do\n"
          "      local ok = pcall(function() hoard[#hoard + 1] = ('x'):rep(1 << 20) end)\n"
          "      if not ok then error(('%d MB'):format(#hoard), 0) end\n"
          "    end\n"
          "  end)\n"
          "  local ok, message = sys.resume(co, 60000)\n"
          "  local had = tonumber(message:match '^(%d+) MB$')\n"
          "  assert(had and had > 100 and had < 112, message)\n"
          "  local ours = ('x'):rep(4 << 20)\n"
          "  return #ours == 4 << 20 and #hoard == had and 0 or 1\n"
          "end"),
      0);
}

static void errors_while_events_are_handled_are_told_and_end_nothing(void **state) {
  (void)state;
  int before = host_world_listen();
  int status = host_world_run("return function(sys)\n"
                              "  local last = sys.time.after(3)\n"
                              "  sys.time.after(1)\n"
                              "  sys.dispatch(function(id)\n"
                              "    if id == last then sys.stop(0) else error({}) end\n"
                              "  end)\n"
                              "  sys.turn(function() error(nil) end)\n"
                              "end");
  char *heard = host_world_heard(before);
  assert_int_equal(status, 0);
  assert_non_null(strstr(heard, "error while handling 'timer': "));
  assert_non_null(strstr(heard, "error behind a turn: an error without a message"));
  free(heard);
}

static void a_process_that_can_never_go_on_says_so(void **state) {
  (void)state;
  int before = host_world_listen();
  int status = host_world_run("return function() end");
  char *heard = host_world_heard(before);
  assert_int_equal(status, 1);
  assert_non_null(strstr(heard, "nothing is left that could happen"));
  free(heard);
}

static void code_comes_from_no_place_that_was_not_said(void **state) {
  (void)state;
  setenv("LUA_PATH", "/tmp/?.lua", 1);
  setenv("LUA_CPATH", "./?.so", 1);
  setenv("LUA_INIT", "error 'LUA_INIT was run'", 1);
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  assert(package.path == '')\n"
                     "  for part in package.cpath:gmatch '[^;]+' do\n"
                     "    assert(part:sub(1, 1) == '/' and not part:find('/tmp', 1, true))\n"
                     "  end\n"
                     "  assert(require 'cjson'.encode { 1 } == '[1]')\n"
                     "  return 0\n"
                     "end"),
      0);
  unsetenv("LUA_PATH");
  unsetenv("LUA_CPATH");
  unsetenv("LUA_INIT");
}

static void modules_have_their_files_as_names_of_chunks(void **state) {
  (void)state;
  host_world_put("pact/other.lua", "return debug.getinfo(1, 'S').source");
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  assert(require('pact.other'):match '^@/tmp/.*/pact/other.lua$')\n"
                     "  return 0\n"
                     "end"),
      0);
}

static void a_recipe_s_directory_can_be_added(void **state) {
  (void)state;
  host_world_put("mine.lua", "return { name = ... }");
  host_world_put("broken.lua", "return +");
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  local dir = debug.getinfo(1, 'S').source:match '^@(.*)/pact/'\n"
                     "  assert(not pcall(require, 'mine2'))\n"
                     "  package.path = dir .. '/?.lua'\n"
                     "  assert(require 'mine'.name == 'mine')\n"
                     "  local ok, message = pcall(require, 'broken')\n"
                     "  assert(not ok and message:find('broken.lua:1:', 1, true))\n"
                     "  ok, message = pcall(require, 'absent')\n"
                     "  assert(not ok and message:find('/absent.lua', 1, true))\n"
                     "  return 0\n"
                     "end"),
      0);
}

static void precompiled_chunks_are_refused_everywhere(void **state) {
  (void)state;
  assert_int_equal(
      host_world_run("return function(sys)\n"
                     "  local dir = debug.getinfo(1, 'S').source:match '^@(.*)/pact/'\n"
                     "  local binary = string.dump(function() return 1 end)\n"
                     "  assert(sys.fs.write(dir .. '/binary.lua', binary))\n"
                     "  package.path = dir .. '/?.lua'\n"
                     "  assert(not load(binary))\n"
                     "  assert(not load(binary, 'b', 'bt'))\n"
                     "  assert(not pcall(load, binary, 'b', 'b'))\n"
                     "  local pieces = { binary }\n"
                     "  assert(not load(function() return table.remove(pieces) end))\n"
                     "  assert(not loadfile(dir .. '/binary.lua', 'bt'))\n"
                     "  assert(not pcall(dofile, dir .. '/binary.lua'))\n"
                     "  assert(not pcall(require, 'binary'))\n"
                     "  assert(load('return a, ...', 'c', 't', { a = 5 })(6) == 5)\n"
                     "  assert(load('return a', 'c', 't', nil) ~= nil)\n"
                     "  return 0\n"
                     "end"),
      0);
}

static void verbs_that_run_a_network_are_known_before_anything_else(void **state) {
  (void)state;
  static const struct {
    const char *args[6];
    bool network;
  } rows[] = {
      {{"up"}, true},
      {{"up", "--detach"}, true},
      {{"--no-tui", "up"}, true},
      {{"run", "x.lua", "--", "sh", "--help"}, true},
      {{"ci"}, true},
      {{"devnet.lua"}, true},
      {{"--timeout", "5s", "devnet.lua"}, true},
      {{"--timeout=5s", "devnet.lua", "--version"}, true},
      {{"./ps"}, true},
      {{NULL}, false},
      {{"ps"}, false},
      {{"--project", "shop", "ps"}, false},
      {{"--json", "check", "devnet.lua"}, false},
      {{"up", "--help"}, false},
      {{"devnet.lua", "-h"}, false},
      {{"--help"}, false},
      {{"--no-tui"}, false},
      {{"--", "up"}, false},
      {{"--timeout"}, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int count = 0;
    while (rows[i].args[count]) count++;
    if (verb_runs_network(count, (char *const *)rows[i].args) != rows[i].network)
      fail_msg("row %zu: %s", i, rows[i].args[0]);
  }
}

static void a_collection_outside_of_a_turn_leaves_no_alarm(void **state) {
  (void)state;
  struct host host;
  struct host_options options = {.role = "solo", .program = "/proc/self/exe"};
  assert_int_equal(host_open(&host, &options), 0);
  uv_ref((uv_handle_t *)&host.burst_timer);
  uv_run(&host.engine.loop.uv, UV_RUN_DEFAULT);
  assert_int_equal(host.watchdog.armed_us, 0);
  host_close(&host);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, host_world_setup, host_world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(the_entry_gets_sys_and_may_end_at_once),
      with_dir(without_an_integer_the_loop_runs_until_stop),
      with_dir(a_death_by_signal_can_be_asked_for),
      with_dir(an_uncaught_error_is_told_with_its_traceback),
      with_dir(a_script_that_hoards_memory_leaves_some_to_the_library),
      with_dir(errors_while_events_are_handled_are_told_and_end_nothing),
      with_dir(a_process_that_can_never_go_on_says_so),
      with_dir(code_comes_from_no_place_that_was_not_said),
      with_dir(modules_have_their_files_as_names_of_chunks),
      with_dir(a_recipe_s_directory_can_be_added),
      with_dir(precompiled_chunks_are_refused_everywhere),
      cmocka_unit_test(verbs_that_run_a_network_are_known_before_anything_else),
      cmocka_unit_test(a_collection_outside_of_a_turn_leaves_no_alarm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
