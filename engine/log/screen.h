// What terminals of a log have shown last, and who sees what they show, byte for byte and at once:
// lines of a log may wait for their end, what is typed must not.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "log/logs.h"

// Zeroed is not in use.
struct screen {
  struct list viewers; // next NULL: none yet
  char *recent;        // a ring of LOGS_RECENT bytes; NULL: nothing was shown
  uint64_t total;      // bytes shown so far
};

void screen_finish(struct screen *screen);
void screen_add(struct screen *screen, const char *bytes, size_t size);
// As logs_view.
size_t screen_view(struct screen *screen, const struct log_viewer *like, char *recent,
                   uint64_t *lost);
bool screen_unview(struct screen *screen, uint64_t viewer_id);
