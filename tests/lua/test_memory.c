// Memory that can't be had: every allocation of Lua is denied once, in the start of a host and in
// every function of `sys` that a process alone can use. Nothing may crash, leak or hang.
#include "host_world.h"

#include <limits.h>

struct scarcity {
  unsigned long count, denied; // the denied-th allocation fails
  bool for_ever; // and all behind it; else only when it is tried again after a collection
};

static void *scarce(void *data, void *block, size_t old_size, size_t new_size) {
  struct scarcity *scarcity = data;
  (void)old_size;
  if (!new_size) {
    free(block);
    return NULL;
  }
  bool grows = !block || new_size > old_size; // Lua relies on shrinking
  if (grows) {
    unsigned long number = ++scarcity->count;
    unsigned long last = scarcity->for_ever ? ULONG_MAX : scarcity->denied + 1;
    if (number >= scarcity->denied && number <= last) return NULL;
  }
  return realloc(block, new_size);
}

static const char everything[] =
    "return function(sys)\n"
    "  local dir = debug.getinfo(1, 'S').source:match '^@(.*)/pact/'\n"
    "  local fs, text = sys.fs, sys.text\n"
    "  local file = dir .. '/file'\n"
    "  sys.dispatch(function(id, kind) sys.stop(0) end)\n"
    "  sys.turn(function() end)\n"
    "  local _ = sys.time.now() + sys.time.wall() + sys.time.random()\n"
    "  sys.time.on_signal 'USR2'\n"
    "  sys.time.off_signal 'USR2'\n"
    "  fs.write(file, 'content', { mode = 384, atomic = true })\n"
    "  assert(fs.read(file) == 'content')\n"
    "  fs.read(dir .. '/absent')\n"
    "  assert(fs.read_at(file, 3, 100) == 'tent')\n"
    "  fs.stat(file)\n"
    "  fs.mkdir(dir .. '/a/b')\n"
    "  fs.list(dir)\n"
    "  fs.symlink('x', dir .. '/link')\n"
    "  fs.rename(file, dir .. '/other')\n"
    "  fs.realpath(dir)\n"
    "  fs.cwd()\n"
    "  local _ = fs.can_write(dir), fs.can_execute '/bin/sh'\n"
    "  local lock = fs.lock(dir .. '/lock', 'me')\n"
    "  fs.lock(dir .. '/lock', 'me')\n"
    "  fs.close(lock)\n"
    "  local log = fs.open_append(dir .. '/log')\n"
    "  fs.append(log, 'line')\n"
    "  fs.close(log)\n"
    "  fs.append(log, 'line')\n"
    "  fs.remove(dir .. '/a', { tree = true })\n"
    "  local os = sys.os\n"
    "  local _ = os.env(), os.ids(), os.user 'root', os.user(0), os.user 'nobody-there'\n"
    "  local _ = os.signal_name(15), os.terminal_size(), os.find_program 'sh', os.find_program "
    "'no-sh'\n"
    "  local _ = os.system(), os.disk '/', os.limits(), os.self()\n"
    "  local _ = text.hash 'x', text.width 'x', text.check { regex = '(' }\n"
    "  text.json { a = { 1, 'x', ('y'):rep(5000) }, b = { c = true } }\n"
    "  assert(text.find({ regex = 'a+' }, 'caat'))\n"
    "  local ok, err = sys.try(function() error { } end)\n"
    "  assert(not ok and err.message)\n"
    "  local co = coroutine.create(function(...) return coroutine.yield(...) end)\n"
    "  local _ = sys.resume(co, 1000, 1, 2, 3), sys.resume(co, 1000)\n"
    "  local wrapped = coroutine.wrap(function() error 'x' end)\n"
    "  pcall(wrapped)\n"
    "  load('return 1')\n"
    "  sys.time.after(0)\n"
    "end";

static struct scarcity run(unsigned long denied, bool for_ever, bool *opened) {
  struct scarcity scarcity = {.denied = denied, .for_ever = for_ever};
  struct host host;
  struct host_options options = host_world_options();
  options.alloc = scarce;
  options.alloc_data = &scarcity;
  *opened = host_open(&host, &options) == 0;
  int status = *opened ? host_run(&host) : 1;
  if (status != 0 && status != 1) fail_msg("allocation %lu denied: status %d", denied, status);
  host_close(&host);
  return scarcity;
}

// Each allocation denied, one by one, until a whole run needs fewer.
static void sweep(bool for_ever, unsigned long step) {
  host_world_put("pact/main.lua", everything);
  int before = host_world_listen();
  unsigned long denied = 1, opened_at = 0;
  for (bool opened;; denied += step) {
    struct scarcity seen = run(denied, for_ever, &opened);
    if (opened && !opened_at) opened_at = denied;
    if (seen.count < denied) break;
  }
  char *heard = host_world_heard(before);
  assert_non_null(strstr(heard, "not enough memory"));
  assert_null(strstr(heard, "unprotected error"));
  assert_in_range(opened_at, 100, denied - 100); // denied in the start, and in what it runs
  free(heard);
}

static void one_denied_allocation_is_an_error_and_no_more(void **state) {
  (void)state;
  sweep(false, 1);
}

static void memory_that_ends_for_good_is_an_error_and_no_more(void **state) {
  (void)state;
  sweep(true, 5);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, host_world_setup, host_world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_dir(one_denied_allocation_is_an_error_and_no_more),
      with_dir(memory_that_ends_for_good_is_an_error_and_no_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
