#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/box.h"
#include "os/files.h"
#include "os/fs.h"
#include "os/program.h"

#define READ_MAX_BYTES ((lua_Integer)64 << 20)

static int read_file(lua_State *L) {
  const char *path = sys_path(L, 1);
  lua_Integer max = luaL_optinteger(L, 2, READ_MAX_BYTES);
  luaL_argcheck(L, max >= 0, 2, "a size in bytes expected");
  void **bytes = box_push(L, free);
  size_t size = 0;
  int result = fs_read(path, (size_t)max, (char **)bytes, &size);
  if (result) return sys_fail(L, result, "%s", path);
  lua_pushlstring(L, *bytes, size);
  box_free(L, -2);
  return 1;
}

static int read_at(lua_State *L) {
  const char *path = sys_path(L, 1);
  lua_Integer offset = luaL_checkinteger(L, 2), max = luaL_checkinteger(L, 3);
  luaL_argcheck(L, offset >= 0, 2, "an offset in bytes expected");
  luaL_argcheck(L, max >= 0 && max <= READ_MAX_BYTES, 3, "a size in bytes expected");
  void **bytes = box_push(L, free);
  size_t size = 0;
  int result = fs_read_at(path, offset, (size_t)max, (char **)bytes, &size);
  if (result) return sys_fail(L, result, "%s", path);
  lua_pushlstring(L, *bytes, size);
  box_free(L, -2);
  return 1;
}

static bool option(lua_State *L, int table, const char *name) {
  if (!lua_istable(L, table)) return false;
  lua_getfield(L, table, name);
  bool set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

static mode_t option_mode(lua_State *L, int table, mode_t fallback) {
  if (!lua_istable(L, table)) return fallback;
  lua_getfield(L, table, "mode");
  mode_t mode = (mode_t)luaL_optinteger(L, -1, fallback);
  lua_pop(L, 1);
  return mode;
}

static int write_file(lua_State *L) {
  size_t size;
  const char *path = sys_path(L, 1), *bytes = luaL_checklstring(L, 2, &size);
  enum fs_write_how how = option(L, 3, "atomic")   ? FS_WRITE_ATOMIC
                          : option(L, 3, "append") ? FS_WRITE_APPEND
                                                   : FS_WRITE_REPLACE;
  int result = fs_write(path, bytes, size, option_mode(L, 3, 0644), how);
  return sys_done(L, result, "%s", path);
}

static const char *type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return "file";
  case S_IFDIR: return "directory";
  case S_IFSOCK: return "socket";
  case S_IFIFO: return "fifo";
  case S_IFLNK: return "link";
  default: return "other";
  }
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static int stat_file(lua_State *L) {
  struct stat info;
  const char *path = sys_path(L, 1);
  // a link that leads nowhere is told as what it is
  if (stat(path, &info) < 0 && lstat(path, &info) < 0) return sys_fail(L, errno, "%s", path);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, type_name(info.st_mode));
  lua_setfield(L, -2, "type");
  set_integer(L, "size", info.st_size);
  set_integer(L, "mtime", (lua_Integer)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000);
  set_integer(L, "mode", info.st_mode & 07777);
  set_integer(L, "uid", info.st_uid);
  return 1;
}

static int make_directory(lua_State *L) {
  const char *path = sys_path(L, 1);
  return sys_done(L, fs_mkdir(path, (mode_t)luaL_optinteger(L, 2, 0755)), "%s", path);
}

static void destroy_names(void *names) {
  fs_names_destroy(names);
}

static int list_directory(lua_State *L) {
  const char *path = sys_path(L, 1);
  lua_settop(L, 2);
  bool directories =
      lua_istable(L, 2) && lua_getfield(L, 2, "directories") != LUA_TNIL && lua_toboolean(L, -1);
  void **box = box_push(L, destroy_names);
  int result = fs_list(path, directories, (struct fs_names **)box);
  if (result) return sys_fail(L, result, "%s", path);
  const struct fs_names *names = *box;
  lua_createtable(L, (int)names->count, 0);
  for (size_t i = 0; i < names->count; i++) {
    lua_pushstring(L, names->names[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  box_free(L, -2);
  return 1;
}

static int remove_file(lua_State *L) {
  const char *path = sys_path(L, 1);
  return sys_done(L, fs_remove(path, option(L, 2, "tree")), "%s", path);
}

static int rename_file(lua_State *L) {
  const char *from = sys_path(L, 1), *to = sys_path(L, 2);
  return sys_done(L, rename(from, to) < 0 ? -errno : 0, "%s", to);
}

static int make_symlink(lua_State *L) {
  const char *target = sys_path(L, 1), *path = sys_path(L, 2);
  return sys_done(L, fs_symlink(target, path), "%s", path);
}

static int resolve_path(lua_State *L) {
  char resolved[PATH_MAX];
  const char *path = sys_path(L, 1);
  if (!realpath(path, resolved)) return sys_fail(L, errno, "%s", path);
  lua_pushstring(L, resolved);
  return 1;
}

static int working_directory(lua_State *L) {
  char path[PATH_MAX];
  lua_pushstring(L, getcwd(path, sizeof path) ? path : "/"); // it may have been removed
  return 1;
}

static int change_directory(lua_State *L) {
  const char *path = sys_path(L, 1);
  return sys_done(L, chdir(path) < 0 ? -errno : 0, "%s", path);
}

static int can_write(lua_State *L) {
  lua_pushboolean(L, access(sys_path(L, 1), W_OK) == 0);
  return 1;
}

static int can_execute(lua_State *L) {
  lua_pushboolean(L, program_executable(sys_path(L, 1)));
  return 1;
}

static int lock_file(lua_State *L) {
  uint64_t id = 0;
  char held[1024];
  const char *path = sys_path(L, 1), *content = luaL_optstring(L, 2, NULL);
  int result = files_lock(engine_files(sys_engine(L)), path, content, &id, held, sizeof held);
  if (result == -EWOULDBLOCK) {
    sys_refuse(L, "held", "%s: another process has it", path);
    lua_pushstring(L, held);
    return 4;
  }
  if (result) return sys_fail(L, result, "%s", path);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int open_append(lua_State *L) {
  uint64_t id = 0;
  const char *path = sys_path(L, 1);
  mode_t mode = (mode_t)luaL_optinteger(L, 2, 0644);
  int result = files_open_append(engine_files(sys_engine(L)), path, mode, &id);
  if (result) return sys_fail(L, result, "%s", path);
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int append(lua_State *L) {
  size_t size;
  uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &size);
  int result = files_append(engine_files(sys_engine(L)), id, bytes, size);
  if (result == -ENOENT) return sys_refuse(L, "gone", "the file is closed");
  return sys_done(L, result, "%s", "write");
}

static int close_file(lua_State *L) {
  files_close(engine_files(sys_engine(L)), (uint64_t)luaL_checkinteger(L, 1));
  return 0;
}

int sys_open_fs(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"read", read_file},
      {"read_at", read_at},
      {"write", write_file},
      {"stat", stat_file},
      {"mkdir", make_directory},
      {"list", list_directory},
      {"remove", remove_file},
      {"rename", rename_file},
      {"symlink", make_symlink},
      {"realpath", resolve_path},
      {"cwd", working_directory},
      {"chdir", change_directory},
      {"can_write", can_write},
      {"can_execute", can_execute},
      {"lock", lock_file},
      {"open_append", open_append},
      {"append", append},
      {"close", close_file},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
