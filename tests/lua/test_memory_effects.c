// Memory that can't be had while processes, logs, sockets and requests are under way: every
// allocation of Lua behind the start of the host is denied once. Nothing may crash, leak memory or
// descriptors, leave a process, or hang.
#include "host_world.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/wait.h>

struct scarcity {
  unsigned long count, denied; // the denied-th allocation fails, and when it is tried again
};

static void *scarce(void *data, void *block, size_t old_size, size_t new_size) {
  struct scarcity *scarcity = data;
  if (!new_size) {
    free(block);
    return NULL;
  }
  if (!block || new_size > old_size) {
    unsigned long number = ++scarcity->count;
    if (number == scarcity->denied || number == scarcity->denied + 1) return NULL;
  }
  return realloc(block, new_size);
}

// Every function with an effect. Events that are lost to an error are not waited for: one of the
// timers ends it. LAST is a number of milliseconds.
static const char effects[] =
    "return function(sys)\n"
    "  local dir = debug.getinfo(1, 'S').source:match '^@(.*)/pact/'\n"
    "  local missing, seen, served = 12, {}, nil\n"
    "  local function done(what)\n"
    "    if seen[what] then return end\n"
    "    seen[what] = true\n"
    "    missing = missing - 1\n"
    "    if missing == 0 then sys.stop(0) end\n"
    "  end\n"
    "  local ON, streamed, upgraded = {}, nil, nil\n"
    "  function ON.timer() sys.stop(2) end\n"
    "  function ON.exit(id)\n"
    "    local _ = sys.proc.sample(id, true), sys.proc.tree(id), sys.proc.ports(id)\n"
    "    sys.proc.signal(id, 15, 'tree')\n"
    "    sys.proc.sweep(id, { grace = 0, scope = 'tree', keep = { 'none' } })\n"
    "  end\n"
    "  function ON.swept(id) done(id) end\n"
    "  function ON.http(id) done(id == served and 'served' or 'http') end\n"
    "  function ON.connect() done 'connect' end\n"
    "  function ON.change() done 'change' end\n"
    "  function ON.request(id, request, mine)\n"
    "    if mine then\n"
    "      return sys.web.respond(request, 200, { ['x-a'] = { 'b', 'c' } }, mine.remote .. "
    "mine.body)\n"
    "    end\n"
    "    if request.path == '/stream' then\n"
    "      sys.ctl.stream(id, 200, { ['x-a'] = 'b' })\n"
    "      sys.ctl.write(id, 'piece')\n"
    "      return sys.ctl.finish(id)\n"
    "    end\n"
    "    if request.path == '/both' then\n"
    "      local log = assert(sys.log.open { dir = dir, name = 'b' })\n"
    "      sys.ctl.upgrade(id)\n"
    "      sys.log.show(log, id)\n"
    "      sys.ctl.frame(id, 'j', '{}')\n"
    "      local typed = assert(sys.proc.spawn { argv = { 'sh', '-c', 'read x; echo hi' }, log = "
    "log,\n"
    "        env = { 'PATH=/bin' }, stdout = 'log', terminal = { columns = 80, rows = 24 } })\n"
    "      sys.proc.resize(typed, 100, 30)\n"
    "      sys.proc.write(typed, 'x\\r')\n"
    "      sys.log.hide(log + 1000, id)\n"
    "      return\n"
    "    end\n"
    "    sys.ctl.respond(id, 200, { ['content-type'] = 'text/plain' }, request.method)\n"
    "  end\n"
    "  function ON.frame(id, kind) done(id == upgraded and kind or 'from the client') end\n"
    "  function ON.response(id, status, _, body)\n"
    "    if id == upgraded then return sys.ctl.frame(id, 'b', 'typed') end\n"
    "    if id ~= streamed then return done 'answer' end\n"
    "    if not status and not body then done 'stream' end\n"
    "  end\n"
    "  sys.dispatch(function(id, kind, ...) if ON[kind] then ON[kind](id, ...) end end)\n"
    "  sys.turn(function() end)\n"
    "  for i = 1, 4 do sys.time.after(i * LAST) end\n"
    "  local set = assert(sys.watch.open())\n"
    "  assert(sys.watch.add(set, dir))\n"
    "  sys.watch.remove(set, assert(sys.watch.add(set, '/')))\n"
    "  sys.watch.add(set, '/no/such')\n"
    "  sys.cancel(assert(sys.net.datagrams(dir .. '/texts')))\n"
    "  sys.net.datagrams '/no/such'\n"
    "  local held = assert(sys.net.listen { host = '127.0.0.1', port = 0 })\n"
    "  sys.net.listen { host = 'a.test' }\n"
    "  sys.net.listen { path = '/no/such/socket' }\n"
    "  assert(#sys.os.random(256) == 256)\n"
    "  assert(sys.os.read_input(0) == '')\n"
    "  local log = assert(sys.log.open { dir = dir, name = 'a', max_size = 4096, max_files = 2 })\n"
    "  sys.log.epoch(log, 1)\n"
    "  local watch = sys.log.match(log, { regex = 'h.$' })\n"
    "  sys.log.notify(log, true)\n"
    "  sys.log.write(log, 3, 'ours\\n')\n"
    "  local spec = { argv = { 'sh', '-c', 'echo hi; exit 3' }, env = { 'A=b', 'PATH=/bin' },\n"
    "    cwd = '/', stdout = 'capture', stderr = 'log', log = log, limits = { nofile = { 64, 64 } "
    "},\n"
    "    umask = 18, input = 'text', tag = 'PACTLUA_TAG=memory' }\n"
    "  assert(sys.proc.spawn(spec))\n"
    "  spec.stdout, spec.input = 'log', nil\n"
    "  local second = assert(sys.proc.spawn(spec))\n"
    "  sys.proc.write(second, 'x')\n"
    "  sys.proc.close_stdin(second)\n"
    "  sys.proc.spawn { argv = { '/no/such' }, env = {}, listen = { held } }\n"
    "  sys.net.block(held)\n"
    "  sys.cancel(held)\n"
    "  sys.proc.kill_stray(1, 1, 0)\n"
    "  local port = sys.net.free_port()\n"
    "  local _ = sys.net.port_free(port), sys.net.port_holder(port), sys.net.port_lingers(port)\n"
    "  sys.net.connect { host = '127.0.0.1', port = port, timeout = 500 }\n"
    "  sys.http.request { url = ('http://127.0.0.1:%d/'):format(port), timeout = 500, body = 'x',\n"
    "    method = 'POST', headers = { ['x-a'] = 'b' } }\n"
    "  sys.cancel(sys.http.request { url = 'http://127.0.0.1:1/', timeout = 500 })\n"
    "  local _, at = assert(sys.web.listen { host = '127.0.0.1', port = 0, max_body = 100 })\n"
    "  served = sys.http.request { url = ('http://127.0.0.1:%d/'):format(at), timeout = 500,\n"
    "    method = 'POST', body = 'x' }\n"
    "  sys.cancel(assert(sys.web.listen { path = dir .. '/web', head_timeout = 5 }))\n"
    "  sys.web.listen { host = 'a.test' }\n"
    "  assert(sys.ctl.listen(dir .. '/sock'))\n"
    "  local client = assert(sys.ctl.connect(dir .. '/sock'))\n"
    "  assert(sys.ctl.call(client, { path = '/plain', headers = { ['x-b'] = 'c' } }))\n"
    "  streamed = assert(sys.ctl.call(client, { path = '/stream', stream = true }))\n"
    "  upgraded = assert(sys.ctl.call(client, { path = '/both', upgrade = true }))\n"
    "  local _ = sys.console.resume()\n"
    "  sys.log.flush(100)\n"
    "  sys.log.limit(log, { max_size = 1000 })\n"
    "  local _ = sys.log.lines(log, { grep = 'ours', count = 3 }), sys.log.stat(log)\n"
    "  sys.tail.lines(dir, 'a', { grep = { regex = 'o' }, stream = 3 })\n"
    "  sys.tail.lines(dir, 'absent', {})\n"
    "  local feed = sys.feed.open { lines = 2, grep = { regex = 'o' }, follow = true }\n"
    "  sys.feed.add(feed, { dir = dir, name = 'a', head = '{', tail = '}\\n' })\n"
    "  sys.feed.wake(feed, 0)\n"
    "  local _ = sys.feed.pull(feed, 100), sys.feed.finish(feed)\n"
    "  sys.feed.close(feed)\n"
    "  sys.feed.open { grep = { regex = '(' } }\n"
    "  sys.feed.add(assert(sys.feed.open {}), { dir = dir, name = 'a', head = '', tail = '' })\n"
    "  sys.tail.watch()\n"
    "  sys.tail.style { escape = true }\n"
    "  local tail = sys.tail.open { dir = dir, name = 'a', prefix = 'a | ', from = 'start' }\n"
    "  sys.tail.wake(tail)\n"
    "  sys.tail.say 'said\\n'\n"
    "  sys.tail.drain()\n"
    "  sys.cancel(watch)\n"
    "  local _ = sys.edit.available(), assert(sys.edit.open(false))\n"
    "  sys.edit.read '? '\n"
    "  sys.edit.write 'said'\n"
    "  sys.edit.remember 'x'\n"
    "  local _ = sys.edit.complete('a', 0, 'b'), sys.edit.cancel '^C'\n"
    "  sys.edit.resize()\n"
    "  sys.edit.resume()\n"
    "  sys.edit.clear()\n"
    "  sys.edit.close()\n"
    "  assert(sys.edit.open(false))\n"
    "  sys.edit.read ''\n"
    "end";

static unsigned descriptors(void) {
  unsigned count = 0;
  DIR *dir = opendir("/proc/self/fd");
  assert_non_null(dir);
  while (readdir(dir)) count++;
  closedir(dir);
  return count;
}

// How many allocations there were; `start` of them before pact.main ran. *ended is 0 when all came.
static unsigned long run(unsigned long denied, unsigned long *start, int *ended) {
  struct scarcity scarcity = {.denied = denied};
  struct host host;
  struct host_options options = host_world_options();
  options.alloc = scarce;
  options.alloc_data = &scarcity;
  int error = host_open(&host, &options);
  if (start) *start = scarcity.count;
  int status = error ? 1 : host_run(&host);
  // 0: all came; 1: the script has failed; 2: an event was lost to the error that was told
  if (status < 0 || status > 2) fail_msg("allocation %lu denied: status %d", denied, status);
  if (ended) *ended = status;
  host_close(&host);
  // what the script had no time to end is swept with the host, or ours to reap
  while (waitpid(-1, NULL, 0) > 0) {}
  assert_int_equal(errno, ECHILD);
  return scarcity.count;
}

// The script, for which so many milliseconds are enough. Of the same length whatever they are.
static void put_effects(unsigned last_ms) {
  const char *at = strstr(effects, "LAST");
  char *script = malloc(sizeof effects + 16);
  sprintf(script, "%.*s%05u%s", (int)(at - effects), effects, last_ms, at + 4);
  host_world_put("pact/main.lua", script);
  free(script);
}

static void effects_survive_any_denied_allocation(void **state) {
  (void)state;
  unsigned long start = 0;
  int ended = -1;
  int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  fflush(stdout);
  dup2(null, STDOUT_FILENO); // where tails write to
  close(null);
  int before = host_world_listen();
  put_effects(60000);
  run(ULONG_MAX - 1, NULL, NULL); // what is loaded once is loaded here, however long that takes
  run(ULONG_MAX - 1, &start, &ended);
  put_effects(120);
  unsigned open_before = descriptors();
  unsigned long denied = start, runs = 0;
  for (;; denied++, runs++) {
    unsigned long count = run(denied, NULL, NULL);
    unsigned now = descriptors();
    if (now != open_before)
      fail_msg("allocation %lu denied: %u descriptors, %u before", denied, now, open_before);
    if (count < denied) break;
  }
  char *heard = host_world_heard(before);
  dup2(out, STDOUT_FILENO);
  close(out);
  assert_int_equal(ended, 0);
  assert_non_null(strstr(heard, "not enough memory"));
  assert_null(strstr(heard, "unprotected error"));
  assert_true(runs > 150);
  free(heard);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(effects_survive_any_denied_allocation, host_world_setup,
                                      host_world_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
