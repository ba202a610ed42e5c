// A log's terminals, shown to a client of the control protocol whose request was upgraded
// (http_server_upgrade): their bytes go there as frames, at most HTTP_SERVER_HIGH of them at a
// time. Who takes them too slowly misses some; the log has all.
#pragma once
#include <sys/types.h>

#include "engine.h"

// From now on. Again after each EV_DRAIN of the request. `recent`, its size, *lost and the result
// are those of logs_view; the caller sends them.
ssize_t show_terminal(struct engine *engine, uint64_t log, uint64_t request, char *recent,
                      uint64_t *lost);
void show_end(struct engine *engine, uint64_t log, uint64_t request);
