// What one pactlua process has in its hands: the loop and one object per noun, each made at its
// first use, so that `pactlua version` pays for none of them.
#pragma once
#include "loop/loop.h"

struct procs;       // proc/procs.h: processes we started, and what they left
struct logs;        // log/logs.h: the bytes services wrote
struct tails;       // log/tail.h: following such bytes from another process
struct http_client; // net/http_client.h
struct tcp_probes;  // net/tcp.h
struct datagrams;   // net/datagram.h: texts from others
struct listeners;   // net/listeners.h: listening sockets held for programs
struct dirwatches;  // os/dirwatch.h: what changes in directories
struct control;     // net/control.h: the control protocol, both ends
struct timers;      // loop/timer.h
struct signals;     // loop/sig.h
struct files;       // os/files.h: files held open by id
struct console;     // os/console.h: the terminal of this process
struct front_link;  // roles/front_link.h
struct edit;        // tty/edit.h: lines from who sits at the terminal

struct engine {
  struct loop loop;
  struct timers *timers;
  struct signals *signals;
  struct procs *procs;
  struct logs *logs;
  struct tails *tails;
  struct http_client *http_client;
  struct tcp_probes *tcp_probes;
  struct datagrams *datagrams;
  struct listeners *listeners;
  struct dirwatches *dirwatches;
  struct control *control;
  struct files *files;
  struct console *console;
  struct front_link *front_link; // NULL in a process that stands alone
  struct edit *edit;             // NULL until somebody is asked for lines
};

int engine_init(struct engine *engine, loop_deliver_fn deliver, loop_turn_fn turn, void *context);
void engine_finish(struct engine *engine);

// Ends the operation or object of that id, whatever it is, and drops its queued events.
bool engine_cancel(struct engine *engine, uint64_t id);

// Each makes its object at the first call; they abort when memory is exhausted.
struct timers *engine_timers(struct engine *engine);
struct signals *engine_signals(struct engine *engine);
struct procs *engine_procs(struct engine *engine);
struct logs *engine_logs(struct engine *engine);
struct tails *engine_tails(struct engine *engine);
struct http_client *engine_http_client(struct engine *engine);
struct tcp_probes *engine_tcp_probes(struct engine *engine);
struct datagrams *engine_datagrams(struct engine *engine);
struct listeners *engine_listeners(struct engine *engine);
struct dirwatches *engine_dirwatches(struct engine *engine);
struct control *engine_control(struct engine *engine);
struct files *engine_files(struct engine *engine);
struct console *engine_console(struct engine *engine);
