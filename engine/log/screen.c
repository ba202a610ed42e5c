#include "log/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct viewer {
  struct list link;
  struct log_viewer is;
  bool holds;    // it has no room
  uint64_t seen; // screen->total when it began to hold
};

void screen_finish(struct screen *screen) {
  if (screen->viewers.next)
    list_each(it, &screen->viewers) free(list_entry(it, struct viewer, link));
  free(screen->recent);
  *screen = (struct screen){0};
}

static void keep(struct screen *screen, const char *bytes, size_t size) {
  if (!screen->recent) screen->recent = mem_new(LOGS_RECENT);
  screen->total += size;
  if (size > LOGS_RECENT) {
    bytes += size - LOGS_RECENT;
    size = LOGS_RECENT;
  }
  size_t at = (screen->total - size) % LOGS_RECENT;
  size_t first = size < LOGS_RECENT - at ? size : LOGS_RECENT - at;
  memcpy(screen->recent + at, bytes, first);
  memcpy(screen->recent, bytes + first, size - first);
}

static void drop(struct viewer *viewer) {
  list_remove(&viewer->link);
  free(viewer);
}

void screen_add(struct screen *screen, const char *bytes, size_t size) {
  keep(screen, bytes, size);
  if (!screen->viewers.next) return;
  list_each(it, &screen->viewers) {
    struct viewer *viewer = list_entry(it, struct viewer, link);
    if (viewer->holds) continue;
    enum log_view_result result = viewer->is.show(viewer->is.context, viewer->is.id, bytes, size);
    if (result == LOG_VIEW_ENDS) {
      drop(viewer);
    } else if (result == LOG_VIEW_HOLDS) {
      viewer->holds = true;
      viewer->seen = screen->total;
    }
  }
}

// The last `size` bytes.
static void copy_recent(const struct screen *screen, char *to, size_t size) {
  size_t at = (screen->total - size) % LOGS_RECENT;
  size_t first = size < LOGS_RECENT - at ? size : LOGS_RECENT - at;
  if (!size) return;
  memcpy(to, screen->recent + at, first);
  memcpy(to + first, screen->recent, size - first);
}

static struct viewer *find(struct screen *screen, uint64_t id) {
  if (!screen->viewers.next) list_init(&screen->viewers);
  list_each(it, &screen->viewers) {
    struct viewer *viewer = list_entry(it, struct viewer, link);
    if (viewer->is.id == id) return viewer;
  }
  return NULL;
}

size_t screen_view(struct screen *screen, const struct log_viewer *like, char *recent,
                   uint64_t *lost) {
  struct viewer *viewer = find(screen, like->id);
  bool known = viewer;
  if (!known) {
    viewer = mem_new(sizeof *viewer);
    viewer->is = *like;
    list_append(&screen->viewers, &viewer->link);
  }
  uint64_t missed = !known ? screen->total : viewer->holds ? screen->total - viewer->seen : 0;
  size_t size = missed < LOGS_RECENT ? (size_t)missed : LOGS_RECENT;
  *lost = known ? missed - size : 0;
  viewer->holds = false;
  copy_recent(screen, recent, size);
  return size;
}

bool screen_unview(struct screen *screen, uint64_t viewer_id) {
  struct viewer *viewer = find(screen, viewer_id);
  if (viewer) drop(viewer);
  return viewer;
}
