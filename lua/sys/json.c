#include "sys/json.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { VALUE = 1, NULL_VALUE, LARGE }; // places on the stack; LARGE: a text that outgrew `small`

enum { SMALL_SIZE = 2048, KEYS_MAX = 64, DEPTH_MAX = 32 };

struct writer {
  lua_State *L;
  int depth;
  char *bytes;
  size_t size, room;
  char small[SMALL_SIZE];
};

struct key {
  const char *name;
  size_t size;
  int value; // its place on the stack
};

static void grow(struct writer *writer, size_t wanted) {
  size_t room = writer->room;
  while (room < wanted) room *= 2;
  char *bytes = lua_newuserdatauv(writer->L, room, 0);
  memcpy(bytes, writer->bytes, writer->size);
  lua_replace(writer->L, LARGE);
  writer->bytes = bytes;
  writer->room = room;
}

static void put(struct writer *writer, const char *bytes, size_t size) {
  if (writer->room - writer->size < size) grow(writer, writer->size + size);
  memcpy(writer->bytes + writer->size, bytes, size);
  writer->size += size;
}

static void put_char(struct writer *writer, char c) {
  put(writer, &c, 1);
}

static void put_escape(struct writer *writer, unsigned char c) {
  static const char letters[][2] = {['\b'] = "b", ['\f'] = "f", ['\n'] = "n",  ['\r'] = "r",
                                    ['\t'] = "t", ['"'] = "\"", ['\\'] = "\\", [0x7f] = ""};
  char text[8];
  if (letters[c][0])
    snprintf(text, sizeof text, "\\%c", letters[c][0]);
  else
    snprintf(text, sizeof text, "\\u%04x", c);
  put(writer, text, strlen(text));
}

static bool is_utf8(const char *at, const char *end) {
  while (at < end)
    if (utf8_next(&at, end) == UTF8_INVALID) return false;
  return true;
}

static bool put_string(struct writer *writer, const char *text, size_t size) {
  const char *end = text + size, *from = text;
  bool plain = true;
  put_char(writer, '"');
  for (const char *at = text; at < end; at++) {
    unsigned char c = (unsigned char)*at;
    if (c >= 0x80) plain = false;
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    put(writer, from, (size_t)(at - from));
    put_escape(writer, c);
    from = at + 1;
  }
  put(writer, from, (size_t)(end - from));
  put_char(writer, '"');
  return plain || is_utf8(text, end);
}

static void put_integer(struct writer *writer, lua_Integer number) {
  char text[32];
  int size = snprintf(text, sizeof text, LUA_INTEGER_FMT, number);
  put(writer, text, (size_t)size);
}

static bool put_value(struct writer *writer, int index);

static bool is_before(const struct key *a, const struct key *b) {
  size_t common = a->size < b->size ? a->size : b->size;
  int order = memcmp(a->name, b->name, common);
  return order ? order < 0 : a->size < b->size;
}

// Leaves each key with its value on the stack; -1: these are no keys for us.
static int collect(lua_State *L, int index, struct key *keys) {
  int count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pushvalue(L, -2)) {
    if (lua_type(L, -2) != LUA_TSTRING || count == KEYS_MAX) return -1;
    struct key key = {.value = lua_gettop(L)};
    key.name = lua_tolstring(L, -2, &key.size);
    int at = count++;
    for (; at > 0 && is_before(&key, &keys[at - 1]); at--) keys[at] = keys[at - 1];
    keys[at] = key;
    luaL_checkstack(L, 4, "json");
  }
  return count;
}

static bool put_object(struct writer *writer, int index) {
  struct key keys[KEYS_MAX];
  int count = collect(writer->L, index, keys);
  if (count < 0) return false;
  put_char(writer, '{');
  for (int i = 0; i < count; i++) {
    if (i > 0) put_char(writer, ',');
    if (!put_string(writer, keys[i].name, keys[i].size)) return false;
    put_char(writer, ':');
    if (!put_value(writer, keys[i].value)) return false;
  }
  put_char(writer, '}');
  return true;
}

static bool put_array(struct writer *writer, int index) {
  lua_State *L = writer->L;
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  put_char(writer, '[');
  for (lua_Integer i = 1; i <= count; i++) {
    if (i > 1) put_char(writer, ',');
    lua_rawgeti(L, index, i);
    if (!put_value(writer, lua_gettop(L))) return false;
    lua_pop(L, 1);
  }
  put_char(writer, ']');
  return true;
}

// By the metatable on top.
static bool is_array(lua_State *L) {
  bool array =
      lua_getfield(L, -1, "__json") == LUA_TSTRING && !strcmp(lua_tostring(L, -1), "array");
  lua_pop(L, 1);
  return array;
}

// Whether the keys are 1 … n; of a table that has a 1.
static bool is_sequence(lua_State *L, int index) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, index), found = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (!lua_isinteger(L, -2)) return false;
    lua_Integer key = lua_tointeger(L, -2);
    if (key < 1 || key > count) return false;
    found++;
  }
  return found == count;
}

static bool put_table(struct writer *writer, int index) {
  lua_State *L = writer->L;
  if (lua_getmetatable(L, index)) return is_array(L) && put_array(writer, index);
  if (lua_rawgeti(L, index, 1) == LUA_TNIL) return put_object(writer, index);
  return is_sequence(L, index) && put_array(writer, index);
}

static bool put_inner(struct writer *writer, int index) {
  int top = lua_gettop(writer->L);
  luaL_checkstack(writer->L, LUA_MINSTACK, "json");
  if (writer->depth == DEPTH_MAX) return false;
  writer->depth++;
  bool done = put_table(writer, index);
  writer->depth--;
  lua_settop(writer->L, top);
  return done;
}

static bool put_boolean(struct writer *writer, int index) {
  bool value = lua_toboolean(writer->L, index);
  put(writer, value ? "true" : "false", value ? 4 : 5);
  return true;
}

static bool put_number(struct writer *writer, int index) {
  if (!lua_isinteger(writer->L, index)) return false;
  put_integer(writer, lua_tointeger(writer->L, index));
  return true;
}

static bool put_text(struct writer *writer, int index) {
  size_t size;
  const char *text = lua_tolstring(writer->L, index, &size);
  return put_string(writer, text, size);
}

static bool put_value(struct writer *writer, int index) {
  static bool (*const writers[LUA_NUMTYPES])(struct writer *, int) = {
      [LUA_TBOOLEAN] = put_boolean,
      [LUA_TNUMBER] = put_number,
      [LUA_TSTRING] = put_text,
      [LUA_TTABLE] = put_inner,
  };
  if (lua_rawequal(writer->L, index, NULL_VALUE)) {
    put(writer, "null", 4);
    return true;
  }
  int type = lua_type(writer->L, index);
  return writers[type] && writers[type](writer, index);
}

int json_write(lua_State *L) {
  struct writer writer = {.L = L, .room = SMALL_SIZE};
  luaL_checkany(L, VALUE);
  lua_settop(L, LARGE);
  writer.bytes = writer.small;
  if (!put_value(&writer, VALUE)) return 0;
  lua_pushlstring(L, writer.bytes, writer.size);
  return 1;
}
