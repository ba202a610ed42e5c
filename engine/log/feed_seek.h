// Where the window of a feed's log begins. Private to log/feed*.c.
#pragma once
#include "log/feed_lines.h"

// A step, until the log is no more in FEED_BEGIN or FEED_SEEK. FEED_MOVING: later.
enum feed_look feed_seek_step(struct feed_sink *sink, struct feed_log *log);
