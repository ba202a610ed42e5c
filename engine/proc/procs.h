// The processes we started and all that they left: started, told when they end, signalled, swept.
// A leader that has ended stays a zombie until its tree is swept, so that its pid, group and
// session can't be anybody else's meanwhile. Everything here is for the thread of the loop. SIGPIPE
// must be ignored.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"
#include "proc/kernel.h"
#include "proc/procfs.h"
#include "proc/spawn.h"
#include "proc/tree_kill.h"

struct procs;
struct logs;

enum { PROCS_CAPTURE_MAX = 1024 * 1024, PROCS_INPUT_MAX = 1024 * 1024 };

// EV_EXIT: once for each leader.
struct exit_event {
  struct event event;
  bool signalled; // else it exited
  int code;       // 0–255, or the signal's number
  bool core;
  uint64_t at_ms; // monotonic
  uint64_t utime_ms, stime_ms;
  uint64_t maxrss_bytes;
  struct captured {
    char *bytes; // NULL: this stream wasn't captured
    size_t size;
  } captured[2]; // stdout, stderr
  bool truncated;
};

// EV_JOBSTOP
struct jobstop_event {
  struct event event;
  int signo;
  bool stopped; // false: goes on
};

struct survivor {
  pid_t pid;
  char state;
  bool spared; // by name; else it could not be killed
  char name[PROCFS_NAME_MAX];
};

// EV_SWEPT
struct swept_event {
  struct event event;
  unsigned killed; // processes that had been left, their leader not counted
  size_t count;
  struct survivor survivors[];
};

// Raises our own limit of descriptors; children get the one found here.
struct procs *procs_create(struct loop *loop);
struct procs *procs_create_on(struct loop *loop, const struct kernel *kernel);
// Ends no process. The loop must be finished afterwards: that frees the last of it.
void procs_destroy(struct procs *procs);

struct procs_spec {
  struct spawn_spec spawn;
  struct logs *logs; // for SPAWN_LOG: stdout is stream 1 of `log`, stderr stream 2
  uint64_t log;
  size_t capture_max; // bytes kept of each captured stream; 0: PROCS_CAPTURE_MAX
  const char *input;  // written to stdin, which then is closed; NULL: it stays open
  size_t input_size;
  const char *tag; // NAME=value in its environment, by which strays are told; may be NULL
};

// 0, or -errno with *failure filled.
int procs_spawn(struct procs *procs, const struct procs_spec *spec, uint64_t *id, pid_t *pid,
                struct spawn_failure *failure);

// The pid of a leader, 0 when there is none of that id.
pid_t procs_pid(const struct procs *procs, uint64_t id);

enum procs_scope { PROCS_LEADER, PROCS_GROUP, PROCS_TREE };
// -ENOENT: no such id; -ESRCH: nobody left that the signal could reach.
int procs_signal(struct procs *procs, uint64_t id, int signo, enum procs_scope scope);

// -ENOENT: no such id; -EPIPE: its stdin is closed; -ENOBUFS: more than PROCS_INPUT_MAX would wait,
// nothing was taken.
int procs_write(struct procs *procs, uint64_t id, const char *bytes, size_t size);
int procs_close_stdin(struct procs *procs, uint64_t id); // behind what still waits

// Gives a process's terminal another size, as pty_resize does. -ENOENT: no such id; -ENOTTY: it has
// no terminal; -EPIPE: nobody is at its other end any more.
int procs_resize(struct procs *procs, uint64_t id, const struct pty_size *size);

struct sweep_options {
  uint64_t grace_ms;       // between TERM and KILL
  bool group_only;         // what left the leader's group is spared
  const char *const *keep; // names of processes to spare; strings are copied
  size_t keep_count;
};

// Ends what is left of a tree, its leader too if that still lives; then EV_SWEPT, the leader is
// reaped, and the id is gone. A leader that can't be killed (state D) is one of the survivors; its
// EV_EXIT never comes. A second call can only shorten the grace. -ENOENT: no such id.
int procs_sweep(struct procs *procs, uint64_t id, const struct sweep_options *options);
// Ends every descendant of ours, whoever it belongs to; EV_SWEPT under the id returned.
uint64_t procs_sweep_all(struct procs *procs, const struct sweep_options *options);
// Those that sweeps left alive as they were told to, by name or for having left the group. The list
// is a copy for the caller to free, NULL when there are none.
struct tree_spared_process *procs_spared(const struct procs *procs, size_t *count);
// Kills the tree at once and tells nothing more about it; false when there is no such id.
bool procs_cancel(struct procs *procs, uint64_t id);
