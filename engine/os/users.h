// The machine's users.
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct user {
  char *name, *home, *shell;
  uid_t uid;
  gid_t gid;
  gid_t *groups; // all it belongs to, its own first
  size_t group_count;
};

// Both give -ENOENT when there is no such user; the caller frees *user with user_destroy.
int user_by_name(const char *name, struct user **user);
int user_by_id(uid_t uid, struct user **user);
void user_destroy(struct user *user); // NULL is fine
