// Ends of processes: our leaders' are peeked at and told, those of orphans that came to us are
// taken away.
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/logs.h"
#include "proc/registry.h"

enum { ORPHANS_LATER_MS = 1000 };

static uint64_t milliseconds(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static struct exit_event *describe(struct proc *proc, const siginfo_t *info,
                                   const struct rusage *usage) {
  struct exit_event *event = mem_new(sizeof *event);
  event->event.kind = EV_EXIT;
  event->event.id = proc->id;
  event->signalled = info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED;
  event->core = info->si_code == CLD_DUMPED;
  event->code = info->si_status;
  event->at_ms = loop_now_ms(proc->procs->loop);
  event->utime_ms = milliseconds(usage->ru_utime);
  event->stime_ms = milliseconds(usage->ru_stime);
  event->maxrss_bytes = (uint64_t)usage->ru_maxrss * 1024;
  return event;
}

static void destroy_exit(struct event *event) {
  struct exit_event *exit = (struct exit_event *)event;
  free(exit->captured[0].bytes);
  free(exit->captured[1].bytes);
  free(exit);
}

void reap_tell(struct proc *proc) {
  struct exit_event *event = proc->exit;
  if (!event) return;
  proc->exit = NULL;
  proc->told = true;
  event->event.destroy = destroy_exit;
  pipes_take(proc, event);
  pipes_close(proc);
  if (proc->muted)
    destroy_exit(&event->event);
  else
    loop_push(proc->procs->loop, &event->event);
}

static void on_exit_poll_closed(uv_handle_t *handle) {
  proc_release(handle->data);
}

void reap_unwatch(struct proc *proc) {
  if (proc->pidfd < 0) return;
  uv_poll_stop(&proc->exit_poll);
  uv_close((uv_handle_t *)&proc->exit_poll, on_exit_poll_closed);
  close(proc->pidfd);
  proc->pidfd = -1;
}

static void ended(struct proc *proc, const siginfo_t *info, const struct rusage *usage) {
  struct procs *procs = proc->procs;
  proc->exited = true;
  procs->living--;
  reap_unwatch(proc);
  if (proc->abandoned) {
    pipes_close(proc);
    proc_forget(proc);
    return;
  }
  proc->exit = describe(proc, info, usage);
  if (proc->terminal) pipes_hang_up(proc);
  if (proc->logs) logs_leader_ended(proc->logs, proc->log, proc->id);
  if (pipes_busy(proc))
    pipes_ended(proc);
  else
    reap_tell(proc);
  if (!list_empty(&procs->sweeps)) sweep_soon(procs);
}

static void on_pidfd(uv_poll_t *poll, int status, int events) {
  struct proc *proc = poll->data;
  siginfo_t info;
  struct rusage usage = {0};
  (void)status;
  (void)events;
  int error = proc->procs->kernel->waitid(P_PID, (id_t)proc->pid, &info,
                                          WEXITED | WNOHANG | WNOWAIT, &usage);
  if (error == 0 && info.si_pid == 0) return;
  if (error < 0) { // somebody else has reaped it: that it ended is all there is to know
    info.si_code = CLD_EXITED;
    info.si_status = 255;
  }
  ended(proc, &info, &usage);
}

int reap_watch(struct proc *proc) {
  int error = uv_poll_init(&proc->procs->loop->uv, &proc->exit_poll, proc->pidfd);
  if (error) return error;
  proc->exit_poll.data = proc;
  proc->users++;
  return uv_poll_start(&proc->exit_poll, UV_READABLE, on_pidfd);
}

static void tell_jobstop(struct procs *procs, const siginfo_t *info) {
  const struct proc *proc = idmap_get(&procs->by_pid, (uint64_t)info->si_pid);
  if (!proc || proc->muted || proc->exited) return;
  struct jobstop_event *event = mem_new(sizeof *event);
  event->event.kind = EV_JOBSTOP;
  event->event.id = proc->id;
  event->signo = info->si_status;
  event->stopped = info->si_code == CLD_STOPPED;
  loop_push(procs->loop, &event->event);
}

// Orphans come to us only where this was asked for. Elsewhere a child that we don't know is the
// business of whoever started it.
static bool adopting(void) {
  int on = 0;
  return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0) == 0 && on);
}

// The kernel shows one zombie at a time. As soon as that is a leader, which must stay, the others
// behind it can be found only by a walk; that waits, as a sweep is likely to come first.
void reap_orphans(struct procs *procs) {
  siginfo_t info;
  if (!adopting()) return;
  while (procs->kernel->waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 &&
         info.si_pid) {
    if (idmap_get(&procs->by_pid, (uint64_t)info.si_pid)) {
      if (!uv_is_active((uv_handle_t *)&procs->orphan_timer))
        uv_timer_start(&procs->orphan_timer, reap_on_orphan_timer, ORPHANS_LATER_MS, 0);
      return;
    }
    procs->kernel->waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG, NULL);
  }
  uv_timer_stop(&procs->orphan_timer);
}

void reap_seen_orphans(struct procs *procs) {
  if (!adopting()) return;
  for (size_t i = 0; i < procs->walk.count; i++) {
    const struct walk_entry *entry = &procs->walk.entries[i];
    siginfo_t info;
    if (entry->leader || entry->stat.ppid != procs->self || entry->stat.state != 'Z') continue;
    procs->kernel->waitid(P_PID, (id_t)entry->stat.pid, &info, WEXITED | WNOHANG, NULL);
  }
}

void reap_on_orphan_timer(uv_timer_t *timer) {
  struct procs *procs = timer->data;
  if (walk_take(procs, WALK_ZOMBIES, NULL) == 0) reap_seen_orphans(procs);
}

void reap_on_chld(struct procs *procs) {
  siginfo_t info;
  while (procs->kernel->waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOHANG, NULL) == 0 &&
         info.si_pid)
    tell_jobstop(procs, &info);
  if (list_empty(&procs->sweeps)) reap_orphans(procs); // else the sweep does
}
