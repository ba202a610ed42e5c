// What lua/lib has anew does what the standard library does, beside it.
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include <lauxlib.h>
#include <lualib.h>

#include "host/host.h"
#include "lib/lib.h"

// A state of Lua alone, in which the globals `stock` and `ours` have the functions of both.
struct both {
  struct host host; // its watchdog never trips
  lua_State *L;
};

static void open_both(struct both *both) {
  *both = (struct both){.L = luaL_newstate()};
  assert_non_null(both->L);
  *(struct host **)lua_getextraspace(both->L) = &both->host;
  luaL_openlibs(both->L);
  static const char copy[] = "stock = { string = {}, table = {} } ours = _G\n"
                             "for name, library in pairs(stock) do\n"
                             "  for key, fn in pairs(_G[name]) do library[key] = fn end\n"
                             "end";
  assert_int_equal(luaL_dostring(both->L, copy), LUA_OK);
  lib_open_string(both->L);
  lib_open_table(both->L);
}

static void expect_ok(lua_State *L, int status) {
  if (status != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

// How many random cases: PACTLUA_CASES; each run has others, and a failure says how to repeat it
// with PACTLUA_SEED.
static long asked(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : otherwise;
}

// Leaves the table of what was met.
static void play(lua_State *L, long cases) {
  expect_ok(L, luaL_loadfilex(L, PACTLUA_TESTS "/lua/library_cases.lua", "t"));
  lua_getglobal(L, "stock");
  lua_getglobal(L, "ours");
  lua_pushinteger(L, asked("PACTLUA_SEED", (long)time(NULL)));
  lua_pushinteger(L, cases);
  expect_ok(L, lua_pcall(L, 4, 1, 0));
}

static void random_calls_do_what_the_standard_librarys_do(void **state) {
  (void)state;
  struct both both;
  open_both(&both);
  lua_State *L = both.L;
  play(L, asked("PACTLUA_CASES", 300000));
  static const char *const expected[] = {
      "find",
      "match",
      "gmatch",
      "gsub",
      "rep",
      "insert",
      "remove",
      "move",
      "found",
      "not found",
      "malformed pattern (missing ']')",
      "malformed pattern (ends with '%')",
      "malformed pattern (missing arguments to '%b')",
      "missing '[' after '%f' in pattern",
      "pattern too complex",
      "too many captures",
      "unfinished capture",
      "invalid pattern capture",
      "invalid capture index %1",
      "invalid use of '%' in replacement string",
      "invalid replacement value (a table)",
      "resulting string too large",
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    lua_getfield(L, -1, expected[i]);
    if (!lua_toboolean(L, -1)) fail_msg("never met: %s", expected[i]);
    lua_pop(L, 1);
  }
  lua_close(L);
}

static void setmetatable_does_as_well(void **state) {
  (void)state;
  static const char tries[] =
      "local shut, plain = setmetatable({}, { __metatable = 1 }), {}\n"
      "local calls = { { 1, {} }, { {}, 1 }, { {} }, {}, { shut, {} }, { plain, nil, n = 2 },\n"
      "  { 'x', {} }, { plain, { __index = { x = 5 } } }, { plain, {}, 3 } }\n"
      "local function try(set, ...) local a, b = set(...) return a, b end\n"
      "for i, call in ipairs(calls) do\n"
      "  local ok, value = pcall(try, theirs, table.unpack(call, 1, call.n or #call))\n"
      "  local to = { pcall(try, setmetatable, table.unpack(call, 1, call.n or #call)) }\n"
      "  assert(ok == to[1] and value == to[2], tostring(value))\n"
      "  assert(to[1] == (i > 5 and i ~= 7), i)\n"
      "end\n"
      "assert(getmetatable(plain) == calls[9][2] and plain.x == nil)";
  struct both both;
  open_both(&both);
  lua_getglobal(both.L, "setmetatable");
  lib_open_base(both.L);
  lua_setglobal(both.L, "theirs");
  expect_ok(both.L, luaL_dostring(both.L, tries));
  lua_close(both.L);
}

static void they_do_so_when_the_collector_never_rests(void **state) {
  (void)state;
  struct both both;
  open_both(&both);
  lua_gc(both.L, LUA_GCINC, 100, 400, 10);
  play(both.L, asked("PACTLUA_CASES", 300000) / 10);
  lua_close(both.L);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_calls_do_what_the_standard_librarys_do),
      cmocka_unit_test(setmetatable_does_as_well),
      cmocka_unit_test(they_do_so_when_the_collector_never_rests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
