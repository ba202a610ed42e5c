#include "show.h"

#include "log/logs.h"
#include "net/control.h"
#include "net/frame.h"

static enum log_view_result show(void *context, uint64_t request, const char *bytes, size_t size) {
  struct engine *engine = context;
  if (!engine->control) return LOG_VIEW_ENDS;
  struct http_server *server = control_server(engine->control);
  int64_t queued = http_server_frame(server, request, FRAME_BYTES, bytes, size);
  if (queued < 0) return LOG_VIEW_ENDS;
  return queued > HTTP_SERVER_HIGH ? LOG_VIEW_HOLDS : LOG_VIEW_GOES_ON;
}

ssize_t show_terminal(struct engine *engine, uint64_t log, uint64_t request, char *recent,
                      uint64_t *lost) {
  struct log_viewer viewer = {.id = request, .show = show, .context = engine};
  return logs_view(engine_logs(engine), log, &viewer, recent, lost);
}

void show_end(struct engine *engine, uint64_t log, uint64_t request) {
  if (engine->logs) logs_unview(engine->logs, log, request);
}
