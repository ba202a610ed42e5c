// What changes in directories, by inotify: one descriptor for all of them. A set is what one asker
// watches; each of its directories has a key, the same for the same directory by whatever path.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"

enum dirwatch_what {
  DIRWATCH_WRITTEN, // a file was closed by a writer
  DIRWATCH_CREATED, // something is there that was not: made, linked or moved to
  DIRWATCH_REMOVED,
  DIRWATCH_GONE,     // the directory itself, by removal, move or unmount: its key is free
  DIRWATCH_OVERFLOW, // the kernel dropped events: what has changed must be looked for; key 0
  DIRWATCH_WHATS
};

// EV_CHANGE, with the id of the set.
struct change_event {
  struct event event;
  int key;
  enum dirwatch_what what;
  bool directory; // what the name names
  char name[];    // "" for the directory itself
};

struct dirwatches;

struct dirwatches *dirwatches_create(struct loop *loop);
void dirwatches_destroy(struct dirwatches *watches); // NULL is fine

// A new, empty set. -EMFILE when this user has too many inotify descriptors.
int dirwatches_open(struct dirwatches *watches, uint64_t *id);
bool dirwatches_cancel(struct dirwatches *watches, uint64_t id); // false: no such set
// The directory's key (> 0), the same again when it is in the set already; -ENOENT also for a set
// that is gone, -ENOTDIR, -EACCES, -ENOSPC at the limit of fs.inotify.max_user_watches.
int dirwatches_add(struct dirwatches *watches, uint64_t id, const char *path);
void dirwatches_remove(struct dirwatches *watches, uint64_t id, int key);
