#include "proc/tree_kill.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "proc/procfs.h"

enum { PAUSE_MS = 10, PERSIST_MS = 2000, STUCK_MS = 200, DEPTH_MAX = 1024 };

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_spared(const struct tree_spared *spared, const struct procfs_stat *stat) {
  for (size_t i = 0; spared && i < spared->count; i++)
    if (spared->list[i].pid == stat->pid && spared->list[i].start == stat->start) return true;
  return false;
}

// Below this process, and not at or below a spared one. Follows parents upward; whoever changes
// parents meanwhile is met again in the next round.
static bool is_ours(const struct kernel *kernel, pid_t self, struct procfs_stat stat,
                    const struct tree_spared *spared) {
  for (int depth = 0; depth < DEPTH_MAX && stat.ppid > 1; depth++) {
    if (is_spared(spared, &stat)) return false;
    if (stat.ppid == self) return true;
    if (procfs_stat(kernel, stat.ppid, &stat) != 0) return false;
  }
  return stat.ppid == self;
}

// Calls for each signal in turn and each living descendant; returns how many there are. *stuck: how
// many of them are in a call of the kernel's that nothing interrupts.
static unsigned signal_all(const struct kernel *kernel, const struct tree_spared *spared,
                           const int *signals, int count, unsigned *stuck) {
  struct procfs_dir dir;
  unsigned found = 0;
  *stuck = 0;
  pid_t self = getpid();
  if (procfs_dir_open(kernel, &dir, "/proc") != 0) return 0;
  for (long pid; procfs_dir_next(&dir, &pid);) {
    struct procfs_stat stat;
    if (procfs_stat(kernel, (pid_t)pid, &stat) != 0) continue;
    if (stat.state == 'Z' && stat.threads <= 1) continue;
    if (!is_ours(kernel, self, stat, spared)) continue;
    found++;
    if (stat.state == 'D') ++*stuck;
    for (int i = 0; i < count; i++) procfs_signal(kernel, stat.pid, stat.start, signals[i]);
  }
  procfs_dir_close(&dir);
  return found;
}

// False when there are no children at all, and so, as orphans come to us, no descendants.
static bool reap(const struct kernel *kernel) {
  siginfo_t info;
  int error;
  while ((error = kernel->waitid(P_ALL, 0, &info, WEXITED | WNOHANG, NULL)) == 0 && info.si_pid) {}
  return error != -ECHILD;
}

static void pause_a_little(void) {
  struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
  nanosleep(&pause, NULL);
}

unsigned tree_kill_descendants(uint64_t grace_ms, const struct kernel *kernel,
                               const struct tree_spared *spared) {
  static const int gently[] = {SIGTERM, SIGCONT}, firmly[] = {SIGKILL};
  uint64_t kill_at_ms = now_ms() + grace_ms, give_up_at_ms = 0, moved_at_ms = kill_at_ms;
  unsigned stuck;
  if (!reap(kernel)) return 0;
  bool sparing = spared && spared->count; // then having children means nothing
  if (grace_ms) signal_all(kernel, spared, gently, 2, &stuck);
  for (;;) {
    if (!reap(kernel)) return 0;
    bool firm = now_ms() >= kill_at_ms;
    unsigned left = firm || sparing ? signal_all(kernel, spared, firmly, firm, &stuck) : 0;
    if (sparing && !left) return 0;
    if (!firm) {
      pause_a_little();
      continue;
    }
    if (left && !give_up_at_ms) give_up_at_ms = now_ms() + PERSIST_MS;
    if (left != stuck) moved_at_ms = now_ms();
    if (left && now_ms() >= give_up_at_ms) return left;
    if (left && now_ms() >= moved_at_ms + STUCK_MS) return left; // they die when they wake
    pause_a_little();
  }
}
