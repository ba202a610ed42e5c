// sys.log and sys.tail as scripts see them, over real processes and files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host/host.h"
#include "sys/sys.h"

// Before each script: `await(id, kind)` yields until that event and gives what came with it.
static const char prelude[] =
    "local sys, dir = ...\n"
    "local log, tail, waiting, seen = sys.log, sys.tail, {}, {}\n"
    "sys.dispatch(function(id, kind, ...)\n"
    "  local key = id .. kind\n"
    "  if waiting[key] then\n"
    "    local thread = waiting[key]\n"
    "    waiting[key] = nil\n"
    "    assert(coroutine.resume(thread, ...))\n"
    "  else seen[key] = table.pack(...) end\n"
    "end)\n"
    "local function await(id, kind)\n"
    "  local key = id .. kind\n"
    "  local values = seen[key]\n"
    "  seen[key] = nil\n"
    "  if values then return table.unpack(values) end\n"
    "  waiting[key] = coroutine.running()\n"
    "  return coroutine.yield()\n"
    "end\n"
    "local function raises(pattern, fn, ...)\n"
    "  local ok, message = pcall(fn, ...)\n"
    "  assert(not ok and message:find(pattern), message)\n"
    "end\n"
    "local function texts(lines)\n"
    "  local list = {}\n"
    "  for i, line in ipairs(lines) do list[i] = line.stream .. ':' .. line.text end\n"
    "  return table.concat(list, '|')\n"
    "end\n"
    "local main = coroutine.wrap(function()\n"
    "  local ok, why = pcall(function()\n";

static const char postlude[] = "  end)\n"
                               "  if not ok then io.stderr:write(tostring(why), '\\n') end\n"
                               "  sys.stop(ok and 0 or 1)\n"
                               "end)\n"
                               "main()\n";

struct place {
  char dir[64];
  int stdout_fd; // the true one, while a file stands in for it
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  strcpy(place->dir, "/tmp/pactlua-syslog-XXXXXX");
  assert_non_null(mkdtemp(place->dir));
  *state = place;
  return 0;
}

static int remove_place(void **state) {
  struct place *place = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", place->dir);
  free(place);
  return system(command);
}

static void run(struct place *place, const char *body) {
  static char source[16384];
  struct host host;
  struct host_options options = {.role = "solo", .program = "/proc/self/exe"};
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  assert_int_equal(host_open(&host, &options), 0);
  snprintf(source, sizeof source, "%s%s%s", prelude, body, postlude);
  if (luaL_loadbuffer(host.L, source, strlen(source), "=script"))
    fail_msg("%s", lua_tostring(host.L, -1));
  sys_get_root(host.L);
  lua_pushstring(host.L, place->dir);
  if (lua_pcall(host.L, 2, 0, 0)) fail_msg("%s", lua_tostring(host.L, -1));
  loop_run(&host.engine.loop);
  int status = host.status;
  host_close(&host);
  assert_int_equal(status, 0);
}

// The script's standard output, as text.
static const char *run_with_output(struct place *place, const char *body) {
  static char text[8192];
  char path[128];
  snprintf(path, sizeof path, "%s/output", place->dir);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  fflush(stdout);
  place->stdout_fd = dup(STDOUT_FILENO);
  dup2(fd, STDOUT_FILENO);
  run(place, body);
  dup2(place->stdout_fd, STDOUT_FILENO);
  close(place->stdout_fd);
  ssize_t size = pread(fd, text, sizeof text - 1, 0);
  close(fd);
  text[size > 0 ? size : 0] = '\0';
  return text;
}

static void what_a_process_writes_is_in_its_log_when_its_exit_is_told(void **state) {
  run(*state,
      "local id = assert(log.open { dir = dir, name = 'web' })\n"
      "log.epoch(id, 3)\n"
      "local watch = assert(log.match(id, { regex = '^port [0-9]+' }))\n"
      "local proc = assert(sys.proc.spawn { argv = { 'sh', '-c',\n"
      "  'echo starting; echo port 80 open; echo oops >&2; printf end; exit 4' },\n"
      "  env = { 'PATH=/usr/bin:/bin' }, stdout = 'log', stderr = 'log', log = id })\n"
      "assert(await(proc, 'exit').code == 4)\n"
      "local lines = log.lines(id, { epoch = 3, stream = 1 })\n"
      "assert(texts(lines) == '1:starting|1:port 80 open|1:end', texts(lines))\n"
      "assert(lines[1].epoch == 3 and math.abs(lines[1].at - sys.time.wall()) < 60000)\n"
      "assert(texts(log.lines(id, { stream = 2 })) == '2:oops')\n"
      "assert(texts(log.lines(id, { count = 1, grep = 'o', stream = 1 })) == '1:port 80 open')\n"
      "local text, stream, at = await(watch, 'line')\n"
      "assert(text == 'port 80 open' and stream == 1 and math.type(at) == 'integer')\n"
      "assert(log.flush(60000))\n"
      "local stat = log.stat(id)\n"
      "assert(stat.size == 9 + 13 + 5 + 3 and stat.lines == 3, stat.size)\n"
      "assert(stat.lost == 0 and stat.queued == 0 and stat.path == dir .. '/web.log')\n"
      "sys.proc.sweep(proc) await(proc, 'swept')\n");
}

static void what_a_script_writes_is_told_and_found(void **state) {
  run(*state, "local id = assert(log.open { dir = dir, name = 'own', format = 'json' })\n"
              "log.notify(id, true)\n"
              "assert(log.write(id, 3, 'a\\0b\\n'))\n"
              "local stop, lines = await(id, 'output')\n"
              "assert(stop > 5 and lines == 1)\n"
              "assert(texts(log.lines(id, {})) == '3:a\\0b')\n"
              "log.close(id)\n"
              "assert(select(3, log.lines(id, {})) == 'gone' and select(3, log.write(id, 1, '')) "
              "== 'gone')\n"
              "assert(log.stat(id) == nil and select(3, log.match(id, 'x')) == 'gone')\n"
              "log.close(id) log.notify(id, true) log.epoch(id, 1)\n"
              "assert(log.flush(60000))\n"
              "assert(texts(tail.lines(dir, 'own')) == '3:a\\0b')\n");
}

static void other_limits_hold_for_what_is_written_then(void **state) {
  run(*state, "local id = assert(log.open { dir = dir, name = 'less', max_size = 100000 })\n"
              "local function fill()\n"
              "  for _ = 1, 20 do assert(log.write(id, 3, ('x'):rep(99) .. '\\n')) end\n"
              "  assert(log.flush(60000))\n"
              "end\n"
              "local function is_there(name) return sys.fs.stat(dir .. '/' .. name) ~= nil end\n"
              "fill()\n"
              "assert(not is_there 'less.log.1')\n"
              "assert(log.limit(id, { max_size = 500, max_files = 2 }))\n"
              "fill()\n"
              "assert(is_there 'less.log.1' and is_there 'less.log.2' and not is_there "
              "'less.log.3')\n"
              "assert(sys.fs.stat(dir .. '/less.log').size <= 500)\n"
              "assert(#log.lines(id, { count = 100 }) >= 10)\n"
              "log.close(id)\n"
              "assert(select(3, log.limit(id, {})) == 'gone')\n");
}

static void refusals_and_misuse(void **state) {
  run(*state,
      "local id, message, code = log.open { dir = dir .. '/none', name = 'x' }\n"
      "assert(id == nil and code == 'ENOENT' and message:find('none/x.log', 1, true), message)\n"
      "id = assert(log.open { dir = dir, name = 'x' })\n"
      "local watch, why, code2 = log.match(id, { regex = '(' })\n"
      "assert(watch == nil and code2 == 'EINVAL' and why:find('(', 1, true))\n"
      "assert(select(3, log.lines(id, { grep = { regex = '[' } })) == 'EINVAL')\n"
      "assert(select(3, tail.lines(dir, 'none')) == 'ENOENT')\n"
      "raises('format: one of raw, text, json', log.open, { dir = dir, name = 'y', format = 'xml' "
      "})\n"
      "raises('', log.open, nil)\n"
      "raises('stream', log.write, id, 4, 'x')\n"
      "raises('count', log.lines, id, { count = -1 })\n"
      "raises('regex', log.match, id, {})\n"
      "raises('name: text expected, got nil', tail.open, { dir = dir })\n"
      "sys.cancel(log.match(id, 'x'))\n"
      "sys.cancel(tail.drain())\n");
}

static void feeds_give_lines_as_objects_from_where_they_were(void **state) {
  run(*state,
      "local a = assert(log.open { dir = dir, name = 'a' })\n"
      "log.write(a, 1, 'one\\ntwo\\n') log.write(a, 2, 'three\\n')\n"
      "assert(log.flush(60000))\n"
      "local feed = assert(sys.feed.open { lines = 2, follow = true })\n"
      "local number = sys.feed.add(feed, { dir = dir, name = 'a', head = '<', tail = '>' })\n"
      "local function pull(size)\n" // each works for two milliseconds, in which little may be done
      "  local all, text, state, us = ''\n"
      "  repeat\n"
      "    text, state, us = sys.feed.pull(feed, size)\n"
      "    all = all .. text\n"
      "  until state == 'idle' or #all >= size\n"
      "  return all, state, us\n"
      "end\n"
      "local text, state, us = pull(1000)\n"
      "text = text:gsub('\"at\":%d+,', '')\n"
      "assert(text == '<\"stream\":\"stdout\",\"epoch\":0,\"text\":\"two\">'\n"
      "  .. '<\"stream\":\"stderr\",\"epoch\":0,\"text\":\"three\">', text)\n"
      "assert(state == 'idle' and math.type(us) == 'integer')\n"
      "log.write(a, 1, 'four\\n')\n"
      "assert(log.flush(60000))\n"
      "sys.feed.wake(feed, number)\n"
      "assert(pull(1):find('\"four\"', 1, true))\n"
      "log.write(a, 1, 'five\\n')\n"
      "assert(log.flush(60000))\n"
      "assert(sys.feed.finish(feed) == '<\"missed\":5>')\n"
      "sys.feed.close(feed) sys.feed.close(feed)\n"
      "raises('closed', sys.feed.pull, feed, 1)\n"
      "raises('feed', sys.feed.pull, io.stdout, 1)\n"
      "local none, why, code = sys.feed.open { grep = { regex = '(' } }\n"
      "assert(none == nil and code == 'EINVAL' and why:find('(', 1, true))\n"
      "raises('lines', sys.feed.open, { lines = -1 })\n"
      "raises('bytes', sys.feed.pull, sys.feed.open {}, 0)\n"
      "raises('head', sys.feed.add, sys.feed.open {}, { dir = dir, name = 'a' })\n");
}

static void tails_write_prefixed_lines_to_standard_output(void **state) {
  const char *text = run_with_output(
      *state, "local a = assert(log.open { dir = dir, name = 'a' })\n"
              "local b = assert(log.open { dir = dir, name = 'b' })\n"
              "tail.style { escape = true }\n"
              "local ta = assert(tail.open { dir = dir, name = 'a', prefix = 'a | ' })\n"
              "local tb = assert(tail.open { dir = dir, name = 'b', prefix = 'b | ', "
              "err_prefix = 'b ! ' })\n"
              "log.write(a, 1, 'one\\n') log.write(b, 2, 'two\\27[2J\\n')\n"
              "assert(log.flush(60000))\n"
              "tail.wake(ta) tail.wake(tb)\n"
              "assert(tail.say('web is running\\n'))\n"
              "await(tail.drain(), 'drain')\n"
              "log.write(a, 2, 'three\\n')\n"
              "assert(log.flush(60000))\n"
              "tail.close(ta)\n"
              "await(tail.drain(), 'drain')\n");
  assert_string_equal(text, "a | one\nb ! two\\x1b[2J\nweb is running\na | three\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
      TEST(what_a_process_writes_is_in_its_log_when_its_exit_is_told),
      TEST(what_a_script_writes_is_told_and_found),
      TEST(other_limits_hold_for_what_is_written_then),
      TEST(refusals_and_misuse),
      TEST(feeds_give_lines_as_objects_from_where_they_were),
      TEST(tails_write_prefixed_lines_to_standard_output),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
