#include "lib/lib.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "host/call.h"
#include "lib/pattern.h"

// find and match ---------------------------------------------------------------------------------

// How far behind the beginning of a string of `length` bytes argument `index` is: 0 for 1, which it
// is when it isn't given; negative ones count from the end. May be beyond it.
static size_t start(lua_State *L, int index, size_t length) {
  lua_Integer given = luaL_optinteger(L, index, 1);
  if (given > 0) return (size_t)given - 1;
  if (given == 0 || given < -(lua_Integer)length) return 0;
  return length + (size_t)given;
}

static bool is_plain(const char *text, size_t length) {
  static const bool special[UINT8_MAX + 1] = {
      ['^'] = true, ['$'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
      ['.'] = true, ['('] = true, ['['] = true, ['%'] = true, ['-'] = true,
  };
  while (length)
    if (special[(unsigned char)text[--length]]) return false;
  return true;
}

// memmem takes linear time, but some to begin with: what is found soon is found without it.
static const char *find_plain(const char *at, size_t length, const char *text, size_t size) {
  if (!size) return at;
  for (int tries = 0; tries < 32; tries++) {
    if (size > length) return NULL;
    const char *first = memchr(at, *text, length - size + 1);
    if (!first || !memcmp(first, text, size)) return first;
    length -= first + 1 - at;
    at = first + 1;
  }
  return memmem(at, length, text, size);
}

static int push_range(lua_State *L, ptrdiff_t from, ptrdiff_t to) {
  lua_pushinteger(L, from + 1);
  lua_pushinteger(L, to);
  return 2;
}

static int none(lua_State *L) {
  luaL_pushfail(L);
  return 1;
}

// The results of find or match.
static int search(lua_State *L, const struct pattern_source *source, const char *at, bool anchored,
                  bool find) {
  struct pattern pattern;
  pattern_begin(&pattern, L, source);
  const char *end = anchored ? pattern_match(&pattern, at) : pattern_search(&pattern, &at);
  if (!end) return none(L);
  if (!find) return pattern_push_all(&pattern, at, end);
  push_range(L, at - source->subject, end - source->subject);
  return pattern_push_all(&pattern, NULL, NULL) + 2;
}

static int search_pattern(lua_State *L, const char *subject, size_t length, const char *text,
                          size_t size, size_t init, bool find) {
  bool anchored = *text == '^';
  struct pattern_source source = pattern_source(subject, length, text + anchored, size - anchored);
  return search(L, &source, subject + init, anchored, find);
}

static int string_find(lua_State *L) {
  size_t length, size;
  const char *subject = luaL_checklstring(L, 1, &length), *text = luaL_checklstring(L, 2, &size);
  size_t init = start(L, 3, length);
  if (init > length) return none(L);
  if (!lua_toboolean(L, 4) && !is_plain(text, size))
    return search_pattern(L, subject, length, text, size, init, true);
  const char *found = find_plain(subject + init, length - init, text, size);
  if (!found) return none(L);
  return push_range(L, found - subject, found - subject + (ptrdiff_t)size);
}

static int string_match(lua_State *L) {
  size_t length, size;
  const char *subject = luaL_checklstring(L, 1, &length), *text = luaL_checklstring(L, 2, &size);
  size_t init = start(L, 3, length);
  if (init > length) return none(L);
  return search_pattern(L, subject, length, text, size, init, false);
}

// gmatch -----------------------------------------------------------------------------------------

struct iteration {
  struct pattern_source source;
  const char *next; // where the next match may begin
  const char *last; // where the last one ended: none ends there again
};

static int next_match(lua_State *L) { // upvalues: subject, pattern, struct iteration
  struct iteration *iteration = lua_touserdata(L, lua_upvalueindex(3));
  struct pattern pattern;
  pattern_begin(&pattern, L, &iteration->source);
  for (const char *at = iteration->next, *end; (end = pattern_search(&pattern, &at)); at++) {
    if (end == iteration->last) continue;
    iteration->next = iteration->last = end;
    return pattern_push_all(&pattern, at, end);
  }
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t length, size;
  const char *subject = luaL_checklstring(L, 1, &length), *text = luaL_checklstring(L, 2, &size);
  size_t init = start(L, 3, length);
  lua_settop(L, 2);
  struct iteration *iteration = lua_newuserdatauv(L, sizeof *iteration, 0);
  *iteration = (struct iteration){
      .source = pattern_source(subject, length, text, size),
      .next = subject + (init <= length ? init : length + 1),
  };
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

// gsub -------------------------------------------------------------------------------------------

static void add_capture(struct pattern *pattern, luaL_Buffer *out, int index, const char *at,
                        const char *end) {
  pattern_push(pattern, index, at, end);
  luaL_addvalue(out);
}

// The replacement as text, in which %0 to %9 stand for what was captured.
static void add_text(struct pattern *pattern, luaL_Buffer *out, const char *at, const char *end) {
  lua_State *L = pattern->effort.L;
  size_t size;
  const char *text = lua_tolstring(L, 3, &size), *stop = text + size, *escape;
  while ((escape = memchr(text, '%', stop - text))) {
    luaL_addlstring(out, text, escape - text);
    char what = escape[1]; // a NUL behind the text
    if (what == '%')
      luaL_addchar(out, '%');
    else if (what == '0')
      luaL_addlstring(out, at, end - at);
    else if (what >= '1' && what <= '9')
      add_capture(pattern, out, what - '1', at, end);
    else
      luaL_error(L, "invalid use of '%%' in replacement string");
    text = escape + 2;
  }
  luaL_addlstring(out, text, stop - text);
}

// What replaces the match; false: it stays as it is.
static bool add_replacement(struct pattern *pattern, luaL_Buffer *out, const char *at,
                            const char *end) {
  lua_State *L = pattern->effort.L;
  int type = lua_type(L, 3);
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, pattern_push_all(pattern, at, end), 1);
  } else if (type == LUA_TTABLE) {
    pattern_push(pattern, 0, at, end);
    lua_gettable(L, 3);
  } else {
    add_text(pattern, out, at, end);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, at, end - at);
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(out);
  return true;
}

// Replaces up to `most` matches into `out`; gives how many, and whether one has changed anything.
static lua_Integer substitute(struct pattern *pattern, luaL_Buffer *out, bool anchored,
                              lua_Integer most, bool *changed) {
  const char *at = pattern->of.subject, *copied = at, *last = NULL;
  lua_Integer count = 0;
  while (count < most) {
    const char *end = anchored ? pattern_match(pattern, at) : pattern_search(pattern, &at);
    if (!end) break;
    if (end != last) {
      count++;
      if (at > copied) luaL_addlstring(out, copied, at - copied);
      *changed |= add_replacement(pattern, out, at, end);
      at = copied = last = end;
    } else {
      at++;
    }
    if (anchored) break;
  }
  luaL_addlstring(out, copied, pattern->of.subject_end - copied);
  return count;
}

static int string_gsub(lua_State *L) {
  size_t length, size;
  const char *subject = luaL_checklstring(L, 1, &length), *text = luaL_checklstring(L, 2, &size);
  int type = lua_type(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1);
  luaL_argexpected(
      L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE,
      3, "string/function/table");
  if (type == LUA_TFUNCTION) call_make_room(L);
  bool anchored = *text == '^', changed = false;
  struct pattern_source source = pattern_source(subject, length, text + anchored, size - anchored);
  struct pattern pattern;
  pattern_begin(&pattern, L, &source);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  lua_Integer count = substitute(&pattern, &out, anchored, most, &changed);
  if (changed)
    luaL_pushresult(&out);
  else
    lua_pushvalue(L, 1);
  lua_pushinteger(L, count);
  return 2;
}

// rep --------------------------------------------------------------------------------------------

// `size` bytes that begin with `unit` of them: again and again.
static void fill(char *bytes, size_t unit, size_t size) {
  for (size_t done = unit; done < size;) {
    size_t piece = done < size - done ? done : size - done;
    memcpy(bytes + done, bytes, piece);
    done += piece;
  }
}

static int string_rep(lua_State *L) {
  size_t length, between;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &between);
  size_t unit = length + between;
  if (count <= 0 || !unit) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (unit < length || unit > (size_t)INT_MAX / (size_t)count)
    return luaL_error(L, "resulting string too large");
  size_t size = unit * (size_t)count - between;
  luaL_Buffer out;
  char *bytes = luaL_buffinitsize(L, &out, size);
  memcpy(bytes, text, length);
  if (count > 1) memcpy(bytes + length, separator, between);
  fill(bytes, unit, size);
  luaL_pushresultsize(&out, size);
  return 1;
}

void lib_open_string(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
      {"gsub", string_gsub}, {"rep", string_rep},     {NULL, NULL},
  };
  lua_getglobal(L, "string");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
