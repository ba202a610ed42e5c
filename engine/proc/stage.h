// The child's side of a spawn, between clone and exec. It shares the parent's memory while the
// parent waits, so it allocates nothing, calls nothing that keeps state, and writes only here.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

// In the order in which they are taken; STAGE_FORK is the parent's.
enum stage_step {
  STAGE_FORK,
  STAGE_FILES,
  STAGE_SESSION,
  STAGE_STDIO,
  STAGE_LISTEN,
  STAGE_UMASK,
  STAGE_NICE,
  STAGE_OOM,
  STAGE_LIMITS,
  STAGE_USER,
  STAGE_CWD,
  STAGE_PDEATHSIG,
  STAGE_EXEC,
  STAGE_STEPS
};

// Listening sockets that one child can get; and how its own pid is told to it.
enum { STAGE_LISTEN_MAX = 32, STAGE_LISTEN_PID_SIZE = 32 };
#define STAGE_LISTEN_PID "LISTEN_PID="

struct stage_limit {
  int resource;
  struct rlimit value;
};

struct stage {
  // what to do; all of it the parent's
  const char *const *argv;
  const char *const *env;
  const char *path; // searched when argv[0] has no slash
  const char *cwd;  // NULL: ours
  int stdio_fds[3]; // -1: inherit ours; else above 2
  int shared_above; // the table is our parent's: take one without what is above this; -1: it isn't
  bool session;
  bool terminal; // stdin becomes the session's controlling terminal
  bool set_user, set_group, set_groups;
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
  int umask; // -1: ours
  bool set_nice;
  int nice;
  const char *oom_score_adj; // as text; NULL: ours
  const struct stage_limit *limits;
  size_t limit_count;
  int pdeathsig; // 0: none
  pid_t parent;
  const int *listen_fds; // become 3, 4, … in this order
  size_t listen_count;

  // what became of it
  enum stage_step step;                   // the one that failed
  int error;                              // an errno; 0: the program runs
  char file[PATH_MAX];                    // the last file that exec was tried on
  char listen_pid[STAGE_LISTEN_PID_SIZE]; // LISTEN_PID=…, where `env` points to it
};

// Argument is the struct stage; returns the child's exit status when a step failed.
int stage_run(void *argument);
