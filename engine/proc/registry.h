// What the files of proc/ share about the processes of one loop; nobody else includes this.
#pragma once
#include "base/idmap.h"
#include "base/list.h"
#include "proc/procs.h"
#include "proc/walk.h"

struct pipes;

struct procs {
  struct loop *loop;
  pid_t self;
  const struct kernel *kernel;
  struct spawner *spawner;
  struct idmap by_id;  // → struct proc, until swept
  struct idmap by_pid; // → struct proc, until reaped
  struct walk walk;    // the last one taken
  struct list sweeps;  // struct sweep
  struct tree_spared_process *spared;
  size_t spared_count;
  uv_signal_t chld;
  uv_timer_t chld_timer;
  uv_timer_t sweep_timer;
  uv_timer_t orphan_timer; // zombies of others stand behind a leader's
  int open_handles;        // of the four above
  size_t living;           // leaders that have not ended
  bool closing;
};

struct proc {
  struct procs *procs;
  uint64_t id;
  pid_t pid;
  bool session;
  bool terminal;  // stdin_fd is the end of one
  bool exited;    // it is a zombie now
  bool told;      // EV_EXIT is in the queue, or was
  bool muted;     // nothing is told about it any more
  bool abandoned; // it survived its sweep: reaped whenever it ends
  bool sweeping;
  int pidfd;
  int stdin_fd;        // -1: closed
  struct pipes *pipes; // what waits to be written or was captured; NULL: nothing
  struct logs *logs;   // NULL: no output of it goes to a log
  uint64_t log;
  struct exit_event *exit; // collected, not yet told
  char *tag;
  uint64_t pipes_ino[3]; // of its stdin, stdout, stderr, which its offspring inherits; 0: no pipe
  int users;             // the registry, and each handle that is still open
  uv_poll_t exit_poll;
};

// Memory goes when the last user has gone.
void proc_release(struct proc *proc);
// Out of both maps; the zombie, if there is one, is reaped.
void proc_forget(struct proc *proc);

// reap.c
int reap_watch(struct proc *proc); // for its end
void reap_unwatch(struct proc *proc);
void reap_tell(struct proc *proc); // its end, once all that was captured is there
void reap_on_chld(struct procs *procs);
void reap_orphans(struct procs *procs);
void reap_seen_orphans(struct procs *procs); // zombies of the last walk
void reap_on_orphan_timer(uv_timer_t *timer);

// pipes.c
void pipes_attach(struct proc *proc, const struct procs_spec *spec, const int fds[3]);
void pipes_hang_up(struct proc *proc);    // nothing goes to its terminal any more
bool pipes_busy(const struct proc *proc); // captured streams have not ended
void pipes_ended(struct proc *proc);      // the leader has: 200 ms are left to them
void pipes_take(struct proc *proc, struct exit_event *event); // what was captured
void pipes_close(struct proc *proc);

// sweep.c
void sweep_soon(struct procs *procs); // something died: look again in the next turn
void sweep_on_timer(uv_timer_t *timer);
void sweep_drop_all(struct procs *procs);
