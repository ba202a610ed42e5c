#include "roles/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/tree_kill.h"

// Descriptors 0 to 2 stay /dev/null, so that nothing else ever gets these numbers.
static int drop_descriptors(int notes_fd) {
  int null_fd = fd_open("/dev/null", O_RDWR, 0);
  for (int fd = 0; fd <= STDERR_FILENO && null_fd >= 0; fd++) dup2(null_fd, fd);
  if (notes_fd != STDERR_FILENO + 1) dup3(notes_fd, STDERR_FILENO + 1, O_CLOEXEC);
  close_range(STDERR_FILENO + 2, ~0u, 0);
  return STDERR_FILENO + 1;
}

static void note(int notes_fd, struct guard_note what) {
  fd_write_all(notes_fd, &what, sizeof what);
}

int guard_note_failure(int notes_fd, int error) {
  note(notes_fd, (struct guard_note){.engine_pid = -1, .status = error});
  return 1;
}

static int wait_for(pid_t pid) {
  siginfo_t info = {0};
  while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR) {}
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

_Noreturn void guard_run(pid_t engine_pid, int notes_fd, const bool *swept) {
  // the front may be gone before the engine: a note to nobody is no reason to end
  signal(SIGPIPE, SIG_IGN);
  if (chdir("/") < 0) errno = 0; // no file system is kept busy by us
  notes_fd = drop_descriptors(notes_fd);
  note(notes_fd, (struct guard_note){.engine_pid = engine_pid, .status = -1});
  int status = wait_for(engine_pid);
  if (!*swept) tree_kill_descendants(GUARD_GRACE_MS, &kernel_linux, NULL);
  note(notes_fd, (struct guard_note){.engine_pid = engine_pid, .status = status});
  _exit(status);
}
