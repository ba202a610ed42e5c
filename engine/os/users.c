#include "os/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#define BUFFER_MAX (1 << 20)

static int find(const char *name, uid_t uid, struct passwd *entry, char **buffer) {
  *buffer = NULL;
  for (size_t size = 1024; size <= BUFFER_MAX; size *= 2) {
    struct passwd *found = NULL;
    *buffer = mem_resize(*buffer, size);
    int error = name ? getpwnam_r(name, entry, *buffer, size, &found)
                     : getpwuid_r(uid, entry, *buffer, size, &found);
    if (error == ERANGE) continue;
    if (found) return 0;
    // what "not found" is differs from one source of users to another
    return !error || error == ESRCH || error == EBADF || error == EPERM ? -ENOENT : -error;
  }
  return -ERANGE;
}

static void find_groups(struct user *user) {
  int count = 16;
  for (;;) {
    int asked = count;
    user->groups = mem_resize(user->groups, (size_t)count * sizeof *user->groups);
    if (getgrouplist(user->name, user->gid, user->groups, &count) >= 0) break;
    if (count <= asked) count = asked * 2;
  }
  user->group_count = (size_t)count;
}

static int look_up(const char *name, uid_t uid, struct user **result) {
  struct passwd entry;
  char *buffer;
  int error = find(name, uid, &entry, &buffer);
  if (!error) {
    struct user *user = mem_new(sizeof *user);
    user->name = mem_strdup(entry.pw_name);
    user->home = mem_strdup(entry.pw_dir);
    user->shell = mem_strdup(entry.pw_shell);
    user->uid = entry.pw_uid;
    user->gid = entry.pw_gid;
    find_groups(user);
    *result = user;
  }
  free(buffer);
  return error;
}

int user_by_name(const char *name, struct user **user) {
  return look_up(name, 0, user);
}

int user_by_id(uid_t uid, struct user **user) {
  return look_up(NULL, uid, user);
}

void user_destroy(struct user *user) {
  if (!user) return;
  free(user->name);
  free(user->home);
  free(user->shell);
  free(user->groups);
  free(user);
}
