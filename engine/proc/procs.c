#include "proc/procs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/logs.h"
#include "proc/registry.h"

enum { CHLD_MS = 5 };

static void on_chld_timer(uv_timer_t *timer) {
  reap_on_chld(timer->data);
}

// A look at all children takes its time where there are many: it isn't for each signal, nor before
// what follows from the end of a leader, which its pidfd tells.
static void on_chld(uv_signal_t *chld, int signo) {
  struct procs *procs = chld->data;
  (void)signo;
  if (!list_empty(&procs->sweeps)) sweep_soon(procs);
  if (!uv_is_active((uv_handle_t *)&procs->chld_timer))
    uv_timer_start(&procs->chld_timer, on_chld_timer, CHLD_MS, 0);
}

struct procs *procs_create_on(struct loop *loop, const struct kernel *kernel) {
  struct procs *procs = mem_new(sizeof *procs);
  procs->loop = loop;
  procs->self = getpid();
  procs->kernel = kernel;
  procs->spawner = spawner_create(kernel);
  spawner_raise_nofile(procs->spawner);
  list_init(&procs->sweeps);
  uv_signal_init(&loop->uv, &procs->chld);
  uv_timer_init(&loop->uv, &procs->chld_timer);
  uv_timer_init(&loop->uv, &procs->sweep_timer);
  uv_timer_init(&loop->uv, &procs->orphan_timer);
  procs->chld.data = procs->chld_timer.data = procs;
  procs->sweep_timer.data = procs->orphan_timer.data = procs;
  procs->open_handles = 4;
  uv_signal_start(&procs->chld, on_chld, SIGCHLD);
  uv_unref((uv_handle_t *)&procs->chld);
  uv_unref((uv_handle_t *)&procs->orphan_timer);
  return procs;
}

struct procs *procs_create(struct loop *loop) {
  return procs_create_on(loop, &kernel_linux);
}

static void on_procs_closed(uv_handle_t *handle) {
  struct procs *procs = handle->data;
  if (--procs->open_handles == 0) free(procs);
}

void procs_destroy(struct procs *procs) {
  if (!procs) return;
  procs->closing = true;
  sweep_drop_all(procs);
  size_t at = 0;
  for (void *item; idmap_next(&procs->by_pid, &at, NULL, &item);) {
    struct proc *proc = item;
    reap_unwatch(proc);
    pipes_close(proc);
    proc_forget(proc);
  }
  idmap_finish(&procs->by_id);
  idmap_finish(&procs->by_pid);
  free(procs->spared);
  walk_finish(&procs->walk);
  spawner_destroy(procs->spawner);
  uv_close((uv_handle_t *)&procs->chld, on_procs_closed);
  uv_close((uv_handle_t *)&procs->chld_timer, on_procs_closed);
  uv_close((uv_handle_t *)&procs->sweep_timer, on_procs_closed);
  uv_close((uv_handle_t *)&procs->orphan_timer, on_procs_closed);
}

void proc_release(struct proc *proc) {
  if (--proc->users) return;
  free(proc->exit);
  free(proc->tag);
  free(proc);
}

void proc_forget(struct proc *proc) {
  struct procs *procs = proc->procs;
  siginfo_t info;
  if (proc->exited && !procs->closing)
    procs->kernel->waitid(P_PID, (id_t)proc->pid, &info, WEXITED | WNOHANG, NULL);
  idmap_remove(&procs->by_id, proc->id);
  idmap_remove(&procs->by_pid, (uint64_t)proc->pid);
  proc_release(proc);
}

static int refuse(struct spawn_failure *failure, int error, const char *message) {
  *failure = (struct spawn_failure){.step = STAGE_STDIO, .error = error};
  strcpy(failure->message, message);
  return -error;
}

// For clients that ask what is wrong, and for probes: services leave them alone.
enum { SPARE_FDS = 16 };

static bool wants_log(const struct procs_spec *spec) {
  return spec->spawn.stdio[1] == SPAWN_LOG ||
         (spec->spawn.stdio[2] == SPAWN_LOG && !spec->spawn.terminal);
}

static uint64_t inode_of(int fd) {
  struct stat st;
  return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static struct proc *enroll(struct procs *procs, const struct procs_spec *spec,
                           const struct spawn_result *result) {
  struct proc *proc = mem_new(sizeof *proc);
  proc->procs = procs;
  proc->id = loop_new_id(procs->loop);
  proc->pid = result->pid;
  proc->pidfd = result->pidfd;
  proc->stdin_fd = -1;
  proc->session = spec->spawn.session || spec->spawn.terminal;
  proc->terminal = spec->spawn.terminal;
  proc->tag = mem_strdup(spec->tag);
  proc->users = 1;
  if (wants_log(spec)) {
    proc->logs = spec->logs;
    proc->log = spec->log;
  }
  for (int i = 0; i < 3 && !proc->terminal; i++) proc->pipes_ino[i] = inode_of(result->fds[i]);
  idmap_set(&procs->by_id, proc->id, proc);
  idmap_set(&procs->by_pid, (uint64_t)proc->pid, proc);
  procs->living++;
  return proc;
}

// What could not be watched would be lost; it ends here, before anybody has heard of it.
static int give_up(struct proc *proc, const int fds[3], int error, struct spawn_failure *failure) {
  siginfo_t info;
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) close(fds[i]);
  proc->procs->kernel->kill(proc->session ? -proc->pid : proc->pid, SIGKILL);
  proc->procs->kernel->waitid(P_PID, (id_t)proc->pid, &info, WEXITED, NULL);
  if (proc->users > 1)
    reap_unwatch(proc);
  else
    close(proc->pidfd);
  proc->procs->living--;
  proc_forget(proc);
  return refuse(failure, -error, "the loop can't watch the process");
}

int procs_spawn(struct procs *procs, const struct procs_spec *spec, uint64_t *id, pid_t *pid,
                struct spawn_failure *failure) {
  struct log_stat stat;
  struct spawn_result result;
  if (wants_log(spec) && (!spec->logs || logs_stat(spec->logs, spec->log, &stat) < 0))
    return refuse(failure, ENOENT, "stdio: there is no log of that id");
  struct spawn_spec spawn = spec->spawn;
  if (wants_log(spec)) spawn.spare_fds = SPARE_FDS + 2 * logs_unopened(spec->logs);
  int error = spawn_run(procs->spawner, &spawn, &result, failure);
  if (error) return error;
  struct proc *proc = enroll(procs, spec, &result);
  error = reap_watch(proc);
  if (error) return give_up(proc, result.fds, error, failure);
  pipes_attach(proc, spec, result.fds);
  procs->walk.at_ms = 0; // doesn't have it
  *id = proc->id;
  *pid = proc->pid;
  return 0;
}

pid_t procs_pid(const struct procs *procs, uint64_t id) {
  const struct proc *proc = idmap_get(&procs->by_id, id);
  return proc ? proc->pid : 0;
}

// The group outlives its leader, whose zombie keeps its number ours.
static int signal_group(struct proc *proc, int signo) {
  const struct kernel *kernel = proc->procs->kernel;
  if (proc->session) return kernel->kill(-proc->pid, signo);
  return proc->exited ? -ESRCH : kernel->kill(proc->pid, signo);
}

static int signal_tree(struct proc *proc, int signo) {
  struct procs *procs = proc->procs;
  int error = walk_recent(procs);
  int result = signal_group(proc, signo);
  for (size_t i = 0; i < procs->walk.count; i++) {
    const struct walk_entry *entry = &procs->walk.entries[i];
    bool in_group = proc->session && entry->stat.pgid == proc->pid;
    if (entry->owner != proc->id || entry->leader || in_group || !walk_alive(entry)) continue;
    if (procfs_signal(procs->kernel, entry->stat.pid, entry->stat.start, signo) == 0) result = 0;
  }
  return error ? error : result;
}

int procs_signal(struct procs *procs, uint64_t id, int signo, enum procs_scope scope) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return -ENOENT;
  switch (scope) {
  case PROCS_LEADER: return proc->exited ? -ESRCH : procs->kernel->kill(proc->pid, signo);
  case PROCS_GROUP: return signal_group(proc, signo);
  case PROCS_TREE: return signal_tree(proc, signo);
  }
  return -EINVAL;
}
