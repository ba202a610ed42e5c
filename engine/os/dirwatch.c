#include "os/dirwatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/fd.h"
#include "base/idmap.h"
#include "base/list.h"
#include "base/mem.h"

enum {
  MASK = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |
         IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK,
  BUFFER_SIZE = 65536,
  BUFFERS_PER_TURN = 4, // the kernel's queue is short; then others have their turn
};

struct dirwatches {
  struct loop *loop;
  int fd;          // -1 until the first set
  uv_poll_t *poll; // NULL as long; outlives us until it is closed
  char *buffer;    // for events, BUFFER_SIZE
  struct idmap sets;
  struct idmap places; // by the kernel's number, which is the key
};

// A directory that the kernel watches for us.
struct place {
  int key;
  struct list members;
};

struct set {
  uint64_t id;
  struct list members;
};

// A directory of a set.
struct member {
  struct set *set;
  struct place *place;
  struct list of_set, of_place;
};

static void tell(struct dirwatches *watches, uint64_t id, int key, enum dirwatch_what what,
                 bool directory, const char *name) {
  size_t size = strlen(name) + 1;
  struct change_event *event = mem_new(sizeof *event + size);
  event->event = (struct event){.kind = EV_CHANGE, .id = id};
  event->key = key;
  event->what = what;
  event->directory = directory;
  memcpy(event->name, name, size);
  loop_push(watches->loop, &event->event);
}

static void leave(struct member *member) {
  list_remove(&member->of_set);
  list_remove(&member->of_place);
  free(member);
}

static void forget_place(struct dirwatches *watches, struct place *place) {
  idmap_remove(&watches->places, (uint64_t)place->key);
  free(place);
}

static void drop(struct dirwatches *watches, struct member *member) {
  struct place *place = member->place;
  leave(member);
  if (!list_empty(&place->members)) return;
  inotify_rm_watch(watches->fd, place->key);
  forget_place(watches, place);
}

static void place_gone(struct dirwatches *watches, struct place *place) {
  list_each(it, &place->members) {
    struct member *member = list_entry(it, struct member, of_place);
    tell(watches, member->set->id, place->key, DIRWATCH_GONE, true, "");
    leave(member);
  }
  forget_place(watches, place);
}

static void overflow(struct dirwatches *watches) {
  size_t at = 0;
  uint64_t id;
  void *set;
  while (idmap_next(&watches->sets, &at, &id, &set))
    tell(watches, id, 0, DIRWATCH_OVERFLOW, false, "");
}

static void take(struct dirwatches *watches, const struct inotify_event *seen) {
  if (seen->mask & IN_Q_OVERFLOW) {
    overflow(watches);
    return;
  }
  struct place *place = seen->wd > 0 ? idmap_get(&watches->places, (uint64_t)seen->wd) : NULL;
  if (!place) return; // nobody's any more
  if (seen->mask & IN_MOVE_SELF) inotify_rm_watch(watches->fd, place->key);
  if (seen->mask & (IN_IGNORED | IN_MOVE_SELF)) {
    place_gone(watches, place);
    return;
  }
  if (!seen->len) return;
  enum dirwatch_what what = seen->mask & (IN_DELETE | IN_MOVED_FROM) ? DIRWATCH_REMOVED
                            : seen->mask & (IN_CREATE | IN_MOVED_TO) ? DIRWATCH_CREATED
                                                                     : DIRWATCH_WRITTEN;
  list_each(it, &place->members) {
    struct member *member = list_entry(it, struct member, of_place);
    tell(watches, member->set->id, place->key, what, (seen->mask & IN_ISDIR) != 0, seen->name);
  }
}

// False: there is nothing more now.
static bool take_buffer(struct dirwatches *watches) {
  ssize_t got = fd_read(watches->fd, watches->buffer, BUFFER_SIZE);
  for (ssize_t at = 0; at < got;) {
    const struct inotify_event *seen = (const struct inotify_event *)(watches->buffer + at);
    take(watches, seen);
    at += (ssize_t)(sizeof *seen + seen->len);
  }
  return got > BUFFER_SIZE / 2;
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  for (int i = 0; status == 0 && i < BUFFERS_PER_TURN; i++)
    if (!take_buffer(poll->data)) return;
}

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static int begin(struct dirwatches *watches) {
  if (watches->fd >= 0) return 0;
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return -errno;
  uv_poll_t *poll = mem_new(sizeof *poll);
  int error = uv_poll_init(&watches->loop->uv, poll, fd);
  if (error) {
    fd_close(&fd);
    free(poll);
    return error;
  }
  poll->data = watches;
  uv_poll_start(poll, UV_READABLE, on_readable);
  watches->fd = fd;
  watches->poll = poll;
  watches->buffer = mem_new(BUFFER_SIZE);
  return 0;
}

int dirwatches_open(struct dirwatches *watches, uint64_t *id) {
  int error = begin(watches);
  if (error) return error;
  struct set *set = mem_new(sizeof *set);
  set->id = *id = loop_new_id(watches->loop);
  list_init(&set->members);
  idmap_set(&watches->sets, set->id, set);
  return 0;
}

static void close_set(struct dirwatches *watches, struct set *set) {
  list_each(it, &set->members) drop(watches, list_entry(it, struct member, of_set));
  idmap_remove(&watches->sets, set->id);
  free(set);
}

bool dirwatches_cancel(struct dirwatches *watches, uint64_t id) {
  struct set *set = idmap_get(&watches->sets, id);
  if (set) close_set(watches, set);
  return set != NULL;
}

static struct member *member_of(const struct set *set, const struct place *place) {
  list_each(it, &place->members) {
    struct member *member = list_entry(it, struct member, of_place);
    if (member->set == set) return member;
  }
  return NULL;
}

static struct place *place_of(struct dirwatches *watches, int key) {
  struct place *place = idmap_get(&watches->places, (uint64_t)key);
  if (place) return place;
  place = mem_new(sizeof *place);
  place->key = key;
  list_init(&place->members);
  idmap_set(&watches->places, (uint64_t)key, place);
  return place;
}

int dirwatches_add(struct dirwatches *watches, uint64_t id, const char *path) {
  struct set *set = idmap_get(&watches->sets, id);
  if (!set) return -ENOENT;
  int key = inotify_add_watch(watches->fd, path, MASK);
  if (key < 0) return -errno;
  struct place *place = place_of(watches, key);
  if (member_of(set, place)) return key;
  struct member *member = mem_new(sizeof *member);
  *member = (struct member){.set = set, .place = place};
  list_append(&set->members, &member->of_set);
  list_append(&place->members, &member->of_place);
  return key;
}

void dirwatches_remove(struct dirwatches *watches, uint64_t id, int key) {
  struct set *set = idmap_get(&watches->sets, id);
  struct place *place = key > 0 ? idmap_get(&watches->places, (uint64_t)key) : NULL;
  struct member *member = set && place ? member_of(set, place) : NULL;
  if (member) drop(watches, member);
}

struct dirwatches *dirwatches_create(struct loop *loop) {
  struct dirwatches *watches = mem_new(sizeof *watches);
  watches->loop = loop;
  watches->fd = -1;
  return watches;
}

void dirwatches_destroy(struct dirwatches *watches) {
  if (!watches) return;
  size_t at = 0;
  void *set;
  while (idmap_next(&watches->sets, &at, NULL, &set)) close_set(watches, set);
  idmap_finish(&watches->sets);
  idmap_finish(&watches->places);
  if (watches->poll) {
    uv_poll_stop(watches->poll);
    uv_close((uv_handle_t *)watches->poll, on_closed);
    fd_close(&watches->fd);
  }
  free(watches->buffer);
  free(watches);
}
