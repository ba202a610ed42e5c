// What joins the front (which has the terminal) and the engine (which has none): a socketpair for
// the control protocol, made before the forks, and the knowledge of when the other side has ended.
// Both processes hold one, each its own end; a process that stands alone has none.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "loop/loop.h"

struct front_link {
  bool front;        // this is the front's end
  int fd;            // our end of the socketpair, -1 once taken
  pid_t guard_pid;   // the process between the two
  int guard_pidfd;   // readable when it has ended
  int output_fds[2]; // front: what the engine writes to its stdout and stderr
  int notes_fd;      // front: what the guard tells, see roles/guard.h
  bool ended;        // front: guard and engine have ended; engine: the guard has
  int status;        // front, once ended: the engine's: 0–255, or 128 + the signal that ended it
  bool *swept;       // shared by the three: the engine has ended all that it may
  struct front_watch *watch; // while attached to a loop
};

// The end of the socketpair, which is the caller's from here; -1 when it was taken before.
int front_link_take(struct front_link *link);

// Watches the other side in a loop: queues an EV_SIGNAL of SIG_GUARD once, in the engine when the
// guard has ended, in the front when guard and engine have ended and what a killed one left has
// been ended too. What the engine writes to its stdout and stderr is passed on to the front's,
// lines of the latter behind `engine: `.
int front_link_attach(struct front_link *link, struct loop *loop);
// In the front, for an engine that doesn't answer any more: SIGKILL; the guard then ends all of it.
// -ESRCH when it has ended.
int front_link_kill_engine(struct front_link *link);
// In the engine, which goes on without a front: what it writes to its stdout and stderr from here
// on is appended to the file, or goes nowhere when that can't be opened: -errno then, 0 otherwise.
int front_link_leave(const struct front_link *link, const char *path);
void front_link_detach(struct front_link *link); // before the loop is finished; closes all
