#include "engine.h"

#include <signal.h>

#include "log/logs.h"
#include "log/tail.h"
#include "loop/sig.h"
#include "loop/timer.h"
#include "net/control.h"
#include "net/datagram.h"
#include "net/http_client.h"
#include "net/listeners.h"
#include "net/tcp.h"
#include "os/console.h"
#include "os/dirwatch.h"
#include "os/files.h"
#include "proc/procs.h"
#include "tty/edit.h"

int engine_init(struct engine *engine, loop_deliver_fn deliver, loop_turn_fn turn, void *context) {
  *engine = (struct engine){0};
  signal(SIGPIPE, SIG_IGN); // a peer that has left is an error of the write, not our end
  return loop_init(&engine->loop, deliver, turn, context);
}

// Last made goes first; timers and signals, which the others use, go last.
void engine_finish(struct engine *engine) {
  console_destroy(engine->console);
  edit_destroy(engine->edit);
  control_destroy(engine->control);
  engine->control = NULL; // terminals of logs aren't shown to anybody any more
  procs_destroy(engine->procs);
  http_client_destroy(engine->http_client);
  tcp_probes_destroy(engine->tcp_probes);
  datagrams_destroy(engine->datagrams);
  listeners_destroy(engine->listeners);
  dirwatches_destroy(engine->dirwatches);
  tails_destroy(engine->tails);
  logs_destroy(engine->logs);
  files_destroy(engine->files);
  signals_destroy(engine->signals);
  timers_destroy(engine->timers);
  loop_finish(&engine->loop);
}

// Asks each module that has operations whether the id is one of its own.
bool engine_cancel(struct engine *engine, uint64_t id) {
  if (!id) return false;
  if (engine->timers && timers_cancel(engine->timers, id)) return true; // without an event so far
  loop_forget(&engine->loop, id);
  if (engine->logs && logs_cancel(engine->logs, id)) return true;
  if (engine->tails && tails_cancel(engine->tails, id)) return true;
  if (engine->http_client && http_client_cancel(engine->http_client, id)) return true;
  if (engine->tcp_probes && tcp_probes_cancel(engine->tcp_probes, id)) return true;
  if (engine->datagrams && datagrams_cancel(engine->datagrams, id)) return true;
  if (engine->listeners && listeners_cancel(engine->listeners, id)) return true;
  if (engine->dirwatches && dirwatches_cancel(engine->dirwatches, id)) return true;
  if (engine->control && control_cancel(engine->control, id)) return true;
  if (engine->procs && procs_cancel(engine->procs, id)) return true;
  if (engine->console && console_close(engine->console, id)) return true;
  if (engine->files && files_close(engine->files, id) == 0) return true;
  return false;
}

struct timers *engine_timers(struct engine *engine) {
  if (!engine->timers) engine->timers = timers_create(&engine->loop);
  return engine->timers;
}

struct signals *engine_signals(struct engine *engine) {
  if (!engine->signals) engine->signals = signals_create(&engine->loop);
  return engine->signals;
}

struct files *engine_files(struct engine *engine) {
  if (!engine->files) engine->files = files_create(&engine->loop);
  return engine->files;
}

struct console *engine_console(struct engine *engine) {
  if (!engine->console) engine->console = console_create(&engine->loop);
  return engine->console;
}

struct control *engine_control(struct engine *engine) {
  if (!engine->control) engine->control = control_create(&engine->loop);
  return engine->control;
}

struct logs *engine_logs(struct engine *engine) {
  if (!engine->logs) engine->logs = logs_create(&engine->loop);
  return engine->logs;
}

struct tails *engine_tails(struct engine *engine) {
  if (!engine->tails) engine->tails = tails_create(&engine->loop);
  return engine->tails;
}

struct procs *engine_procs(struct engine *engine) {
  if (!engine->procs) engine->procs = procs_create(&engine->loop);
  return engine->procs;
}

struct http_client *engine_http_client(struct engine *engine) {
  if (!engine->http_client) engine->http_client = http_client_create(&engine->loop);
  return engine->http_client;
}

struct tcp_probes *engine_tcp_probes(struct engine *engine) {
  if (!engine->tcp_probes) engine->tcp_probes = tcp_probes_create(&engine->loop);
  return engine->tcp_probes;
}

struct datagrams *engine_datagrams(struct engine *engine) {
  if (!engine->datagrams) engine->datagrams = datagrams_create(&engine->loop);
  return engine->datagrams;
}

struct listeners *engine_listeners(struct engine *engine) {
  if (!engine->listeners) engine->listeners = listeners_create(&engine->loop);
  return engine->listeners;
}

struct dirwatches *engine_dirwatches(struct engine *engine) {
  if (!engine->dirwatches) engine->dirwatches = dirwatches_create(&engine->loop);
  return engine->dirwatches;
}
