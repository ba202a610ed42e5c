// sys.proc as scripts see it: what each call takes, gives back and tells, over real processes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "host/host.h"
#include "sys/sys.h"

// Before each script: `await(id, kind)` yields until that event and gives what came with it.
static const char prelude[] =
    "local sys = ...\n"
    "local proc, waiting, seen = sys.proc, {}, {}\n"
    "sys.dispatch(function(id, kind, ...)\n"
    "  local key = id .. kind\n"
    "  if waiting[key] then assert(coroutine.resume(waiting[key], ...))\n"
    "  else seen[key] = table.pack(...) end\n"
    "end)\n"
    "local function await(id, kind)\n"
    "  local key = id .. kind\n"
    "  if seen[key] then return table.unpack(seen[key]) end\n"
    "  waiting[key] = coroutine.running()\n"
    "  return coroutine.yield()\n"
    "end\n"
    "local env = { 'PATH=/usr/bin:/bin', 'LC_ALL=C' }\n"
    "local function shell(text, more)\n"
    "  local spec = { argv = { 'sh', '-c', text }, env = env, stdout = "
    "'capture', stderr = 'capture' }\n"
    "  for k, v in pairs(more or {}) do spec[k] = v end\n"
    "  return proc.spawn(spec)\n"
    "end\n"
    "local settled = 'while [ $(cat /proc/$!/comm) != sleep ]; do :; done;'\n"
    "local function raises(pattern, fn, ...)\n"
    "  local ok, message = pcall(fn, ...)\n"
    "  assert(not ok and message:find(pattern), message)\n"
    "end\n"
    "local main = coroutine.wrap(function()\n"
    "  local ok, why = pcall(function()\n";

static const char postlude[] = "  end)\n"
                               "  if not ok then print(why) end\n"
                               "  sys.stop(ok and 0 or 1)\n"
                               "end)\n"
                               "main()\n";

static void run(const char *body) {
  static char source[16384];
  struct host host;
  struct host_options options = {.role = "solo", .program = "/proc/self/exe"};
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  assert_int_equal(host_open(&host, &options), 0);
  snprintf(source, sizeof source, "%s%s%s", prelude, body, postlude);
  if (luaL_loadbuffer(host.L, source, strlen(source), "=script"))
    fail_msg("%s", lua_tostring(host.L, -1));
  sys_get_root(host.L);
  if (lua_pcall(host.L, 1, 0, 0)) fail_msg("%s", lua_tostring(host.L, -1));
  loop_run(&host.engine.loop);
  int status = host.status;
  host_close(&host);
  assert_int_equal(status, 0);
  while (waitpid(-1, NULL, WNOHANG) > 0) {}         // what had ended, but wasn't asked for any more
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // nothing is left
}

static void an_end_is_told_with_all_that_is_known(void **state) {
  (void)state;
  run("local id, pid = shell('echo out; echo err >&2; exit 7')\n"
      "assert(math.type(id) == 'integer' and pid > 1)\n"
      "local exit = await(id, 'exit')\n"
      "assert(exit.code == 7 and exit.signal == nil and exit.core == nil)\n"
      "assert(exit.stdout == 'out\\n' and exit.stderr == 'err\\n' and exit.truncated == false)\n"
      "assert(math.type(exit.at) == 'integer' and math.type(exit.utime) == 'integer')\n"
      "assert(math.type(exit.stime) == 'integer' and exit.maxrss > 100000)\n"
      "assert(proc.sweep(id))\n"
      "local survivors, killed = await(id, 'swept')\n"
      "assert(#survivors == 0 and killed == 0)\n"
      "local ok, message, code = proc.signal(id, 15)\n"
      "assert(ok == nil and message:find 'gone' and code == 'gone')\n"
      "assert(select(3, proc.sweep(id)) == 'gone' and select(3, proc.sample(id)) == 'gone')\n"
      "assert(select(3, proc.tree(id)) == 'gone' and select(3, proc.ports(id)) == 'gone')\n"
      "assert(select(3, proc.write(id, 'x')) == 'gone')\n"
      "assert(select(3, proc.close_stdin(id)) == 'gone')\n");
}

static void a_death_by_signal_is_told(void **state) {
  (void)state;
  run("local id = shell('kill -9 $$')\n"
      "local exit = await(id, 'exit')\n"
      "assert(exit.signal == 9 and exit.code == nil and exit.core == false)\n"
      "proc.sweep(id) await(id, 'swept')\n");
}

static void a_refusal_names_step_and_code(void **state) {
  (void)state;
  run("local id, message, code, step = shell('true', { cwd = '/no/where' })\n"
      "assert(id == nil and code == 'ENOENT' and step == 'cwd')\n"
      "assert(message == \"cwd '/no/where': no such directory\")\n"
      "id, message, code, step = proc.spawn { argv = { 'no-such' }, env = env }\n"
      "assert(id == nil and code == 'ENOENT' and step == 'exec')\n"
      "assert(message == \"exec 'no-such': not found on PATH\")\n"
      "id, message, code, step = shell('true', { stdout = 'log', log = 99 })\n"
      "assert(id == nil and code == 'ENOENT' and step == 'stdio')\n");
}

static void misuse_raises(void **state) {
  (void)state;
  run("raises('argv is missing', proc.spawn, { env = env })\n"
      "raises('argv is empty', proc.spawn, { argv = {}, env = env })\n"
      "raises('env is missing', proc.spawn, { argv = { 'a' } })\n"
      "raises('argv: a string expected, got number', proc.spawn, { argv = { 'a', 5 }, env = env "
      "})\n"
      "raises('has a NUL byte', proc.spawn, { argv = { 'a\\0b' }, env = env })\n"
      "raises(\"no field 'comand'\", shell, 'true', { comand = 1 })\n"
      "raises(\"stdout: 'pipe' is not possible\", shell, 'true', { stdout = 'pipe' })\n"
      "raises(\"stdin: 'log' is not possible\", shell, 'true', { stdin = 'log' })\n"
      "raises('nice: 99 is out of range', shell, 'true', { nice = 99 })\n"
      "raises(\"limits: there is no 'files'\", shell, 'true', { limits = { files = { 1, 1 } } })\n"
      "raises('soft, hard', shell, 'true', { limits = { nofile = { 1 } } })\n"
      "raises('NAME=value', shell, 'true', { tag = 'x' })\n"
      "raises('log is missing', shell, 'true', { stdout = 'log' })\n"
      "raises('invalid option', proc.signal, 1, 15, 'all')\n"
      "raises('number', proc.signal, 1, 999)\n");
}

static void every_field_reaches_the_program(void **state) {
  (void)state;
  run("local id = shell('pwd; umask; ulimit -n; nice; cat; echo $X', {\n"
      "  cwd = '/usr', umask = 63, nice = 3, session = true,\n"
      "  env = { 'PATH=/usr/bin:/bin', 'X=y' }, input = 'given\\n', pdeathsig = 9, tag = 'T=1',\n"
      "  limits = { nofile = { 50, 60 } }, stdin = 'pipe', capture_max = 1000 })\n"
      "local exit = await(id, 'exit')\n"
      "assert(exit.stdout == '/usr\\n0077\\n50\\n3\\ngiven\\ny\\n', exit.stdout)\n"
      "proc.sweep(id) await(id, 'swept')\n");
}

static void stdin_takes_what_is_written(void **state) {
  (void)state;
  run("local id = shell('read a; echo got $a; cat >/dev/null')\n"
      "assert(proc.write(id, 'this\\n'))\n"
      "assert(proc.close_stdin(id))\n"
      "assert(select(3, proc.write(id, 'more')) == 'EPIPE')\n"
      "assert(await(id, 'exit').stdout == 'got this\\n')\n"
      "proc.sweep(id) await(id, 'swept')\n");
}

static void a_tree_is_listed_measured_and_swept(void **state) {
  (void)state;
  run("local id, pid = shell('sleep 100 & ' .. settled .. ' kill -STOP $$')\n"
      "local signo, stopped = await(id, 'jobstop')\n"
      "assert(sys.os.signal_name(signo) == 'STOP' and stopped == true)\n"
      "local tree = proc.tree(id)\n"
      "assert(tree[1].pid == pid and tree[1].name == 'sh' and tree[1].state == 'T')\n"
      "assert(tree[1].command:find '^sh %-c sleep 100' and tree[1].rss > 0)\n"
      "assert(#tree == 2 and tree[2].ppid == pid)\n"
      "local sample = proc.sample(id, true)\n"
      "assert(sample.procs == 2 and sample.threads == 2 and sample.fds == 6 and sample.rss > 0)\n"
      "assert(sample.cpu >= 0 and sample.read >= 0 and sample.write >= 0)\n"
      "assert(#proc.ports(id) == 0)\n"
      "proc.sweep(id, { grace = 5000, keep = {}, scope = 'tree' })\n"
      "assert(await(id, 'exit').signal == 15)\n"
      "local survivors, killed = await(id, 'swept')\n"
      "assert(#survivors == 0 and killed == 1)\n");
}

static void survivors_are_named_and_all_can_be_swept(void **state) {
  (void)state;
  run("local id = shell('sleep 100 >/dev/null 2>&1 & ' ..\n"
      "  settled)\n"
      "await(id, 'exit')\n"
      "proc.sweep(id, { keep = { 'sleep' } })\n"
      "local survivors, killed = await(id, 'swept')\n"
      "assert(killed == 0 and #survivors == 1, ('%d killed, %d left'):format(killed, #survivors))\n"
      "assert(survivors[1].name == 'sleep' and survivors[1].pid > 1 and "
      "survivors[1].state:find '^%u$')\n"
      "local all = proc.sweep_all { grace = 5000 }\n"
      "survivors, killed = await(all, 'swept')\n"
      "assert(#survivors == 0 and killed == 1)\n");
}

static void strays_are_found_by_their_tag(void **state) {
  (void)state;
  run("local tag = 'PACTLUA_TEST=' .. sys.os.pid()\n"
      "local id, pid = proc.spawn { argv = { 'sleep', '100' }, env = { 'PATH=/bin', tag, 'A=1' } "
      "}\n"
      "local strays, until_ms = nil, sys.time.now() + 30000\n" // exec shows its environment late
      "repeat strays = proc.tagged(tag) until #strays > 0 or sys.time.now() > until_ms\n"
      "assert(#strays == 1 and strays[1].pid == pid and strays[1].command == 'sleep 100')\n"
      "assert(strays[1].env.PACTLUA_TEST and not strays[1].env.A and strays[1].name == 'sleep')\n"
      "assert(select(3, proc.kill_stray(pid, strays[1].start + 1, 15)) == 'gone')\n"
      "assert(proc.kill_stray(pid, strays[1].start, 15))\n"
      "assert(await(id, 'exit').signal == 15)\n"
      "proc.sweep(id) await(id, 'swept')\n"
      "assert(#proc.tagged(tag) == 0)\n");
}

static void a_cancelled_process_is_ended_silently(void **state) {
  (void)state;
  run("local first = shell('sleep 100')\n"
      "sys.cancel(first)\n"
      "local all = proc.sweep_all()\n"
      "await(all, 'swept')\n"
      "assert(not seen[first .. 'exit'] and not seen[first .. 'swept'])\n");
}

static void output_goes_to_a_log(void **state) {
  (void)state;
  run("local dir = '/tmp/sys_proc_' .. sys.os.pid()\n"
      "assert(sys.fs.mkdir(dir))\n"
      "local log = assert(sys.log.open { dir = dir, name = 'x' })\n"
      "local id = shell('echo one; echo two >&2; sleep 0.05; printf tail', { stdout = 'log', "
      "stderr = 'log', log = log })\n"
      "local exit = await(id, 'exit')\n"
      "assert(exit.stdout == nil)\n"
      "proc.sweep(id) await(id, 'swept')\n"
      "sys.log.close(log) sys.log.flush(2000)\n"
      "local bytes = assert(sys.fs.read(dir .. '/x.log'))\n"
      "assert(bytes:find 'one\\n' and bytes:find 'two\\n' and bytes:find 'tail$', bytes)\n"
      "sys.fs.remove(dir, { tree = true })\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_end_is_told_with_all_that_is_known),
      cmocka_unit_test(a_death_by_signal_is_told),
      cmocka_unit_test(a_refusal_names_step_and_code),
      cmocka_unit_test(misuse_raises),
      cmocka_unit_test(every_field_reaches_the_program),
      cmocka_unit_test(stdin_takes_what_is_written),
      cmocka_unit_test(a_tree_is_listed_measured_and_swept),
      cmocka_unit_test(survivors_are_named_and_all_can_be_swept),
      cmocka_unit_test(strays_are_found_by_their_tag),
      cmocka_unit_test(a_cancelled_process_is_ended_silently),
      cmocka_unit_test(output_goes_to_a_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
