// Starting a program: what is asked for, how it is done at the price of a vfork, and what to tell
// a person when it can't be done.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/kernel.h"
#include "proc/pty.h"
#include "proc/stage.h"

enum spawn_stdio {
  SPAWN_INHERIT, // ours
  SPAWN_NULL,    // /dev/null
  SPAWN_PIPE,    // stdin only: open and silent
  SPAWN_LOG,     // output only: bytes go to a log
  SPAWN_CAPTURE, // output only: bytes are kept for the exit's event
};

// Strings and arrays are the caller's, for the time of the call.
struct spawn_spec {
  const char *const *argv; // ends with NULL, as does env
  const char *const *env;
  const char *path; // to search; NULL: PATH of env, else the system's default
  const char *cwd;  // NULL: ours
  enum spawn_stdio stdio[3];
  bool session; // of its own
  // Not NULL: its stdin, stdout and stderr are a terminal of its own, of this size, and it has a
  // session; what the terminal shows goes where stdio[1] says, LOG or CAPTURE.
  const struct pty_size *terminal;
  bool set_user, set_group, set_groups;
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
  int umask; // -1: ours
  bool set_nice, set_oom_score_adj;
  int nice, oom_score_adj;
  const struct stage_limit *limits;
  size_t limit_count;
  int pdeathsig; // 0: none
  // Listening sockets: the child has them as 3, 4, … and LISTEN_PID, its own pid, in its
  // environment. At most STAGE_LISTEN_MAX. Such a spawn copies the table of descriptors.
  const int *listen_fds;
  size_t listen_count;
  unsigned spare_fds; // so many descriptors must be left to us, else it is -EMFILE
};

struct spawner; // what all spawns of this process share: a stack, the limits children get

struct spawner *spawner_create(const struct kernel *kernel);
void spawner_destroy(struct spawner *spawner);

// Raises our own limit of descriptors to the hard one; children keep getting the one found here.
void spawner_raise_nofile(struct spawner *spawner);

struct spawn_result {
  pid_t pid;
  int pidfd;
  int fds[3]; // our ends of pipes: stdin's to write, the others to read, non-blocking; else -1.
              // Of a terminal the first two are the same end.
};

struct spawn_failure {
  enum stage_step step;
  int error;                        // an errno
  char message[2 * PATH_MAX + 512]; // such as: cwd '/x': No such file or directory
};

// 0: the program runs, its descriptors are the caller's. Else -errno and *failure says why; nothing
// is left of it then.
int spawn_run(struct spawner *spawner, const struct spawn_spec *spec, struct spawn_result *result,
              struct spawn_failure *failure);

const char *spawn_step_name(enum stage_step step);

// Words for a step that failed (explain.c).
void spawn_explain(const struct spawn_spec *spec, const struct stage *stage,
                   struct spawn_failure *failure);
