// Ending what is left of trees. All sweeps under way share one walk a turn; one timer looks again
// as long as something is left, and every death we hear of makes it look at once.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proc/registry.h"

enum { PERSIST_MS = 2000, PAUSE_FIRST_MS = 2, PAUSE_MAX_MS = 64 };

struct sweep {
  struct list link;
  struct procs *procs;
  struct proc *proc; // NULL: every descendant
  uint64_t id;
  uint64_t kill_at_ms;
  uint64_t give_up_at_ms; // 0: not before the first KILL
  uint64_t pause_ms;      // until the next look
  bool group_only;
  bool termed;  // the group has had its TERM
  bool killing; // the grace is over
  char **keep;
  size_t keep_count;
  struct idmap victims; // who has had a signal: start time by pid
  unsigned killed;      // how many that are, the leader left out
};

static void sweep_free(struct sweep *sweep) {
  list_remove(&sweep->link);
  if (sweep->proc) sweep->proc->sweeping = false;
  for (size_t i = 0; i < sweep->keep_count; i++) free(sweep->keep[i]);
  free(sweep->keep);
  idmap_finish(&sweep->victims);
  free(sweep);
}

void sweep_drop_all(struct procs *procs) {
  list_each(link, &procs->sweeps) sweep_free(list_entry(link, struct sweep, link));
}

static void look_in(struct procs *procs, uint64_t ms) {
  uv_timer_t *timer = &procs->sweep_timer;
  if (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) <= ms) return;
  uv_timer_start(timer, sweep_on_timer, ms, 0);
}

// Where looking takes long it mustn't take all our time.
void sweep_soon(struct procs *procs) {
  look_in(procs, procs->walk.took_ms);
}

static bool kept(const struct sweep *sweep, const struct walk_entry *entry) {
  if (entry->leader) return false;
  for (size_t i = 0; i < sweep->keep_count; i++)
    if (strncmp(sweep->keep[i], entry->stat.name, PROCFS_NAME_MAX - 1) == 0) return true;
  return false;
}

static bool concerns(const struct sweep *sweep, const struct walk_entry *entry) {
  if (!walk_alive(entry)) return false;
  if (!sweep->proc) return true;
  return entry->owner == sweep->id &&
         (!sweep->group_only || entry->leader || entry->stat.pgid == sweep->proc->pid);
}

// False when it has been one before.
static bool add_victim(struct sweep *sweep, const struct walk_entry *entry) {
  uint64_t pid = (uint64_t)entry->stat.pid;
  void *start = (void *)(uintptr_t)(entry->stat.start + 1);
  if (idmap_get(&sweep->victims, pid) == start) return false;
  idmap_set(&sweep->victims, pid, start);
  if (!entry->leader) sweep->killed++;
  return true;
}

static void send_signal(const struct sweep *sweep, const struct walk_entry *entry, int signo) {
  procfs_signal(sweep->procs->kernel, entry->stat.pid, entry->stat.start, signo);
}

// One call reaches a group whole, which a walk can't when its members fork faster than it looks.
// False where that isn't to be done.
static bool signal_group(const struct sweep *sweep, int signo) {
  const struct proc *proc = sweep->proc;
  if (!proc || !proc->session || sweep->keep_count) return false;
  sweep->procs->kernel->kill(-proc->pid, signo);
  return true;
}

// TERM to each process once, with CONT for those that are stopped.
static void term_group(struct sweep *sweep) {
  if (sweep->termed) return;
  sweep->termed = signal_group(sweep, SIGTERM) && signal_group(sweep, SIGCONT);
}

static void term_all(struct sweep *sweep) {
  const struct walk *walk = &sweep->procs->walk;
  bool termed = sweep->termed;
  term_group(sweep);
  bool group_now = sweep->termed && !termed;
  for (size_t i = 0; i < walk->count; i++) {
    const struct walk_entry *entry = &walk->entries[i];
    if (!concerns(sweep, entry) || kept(sweep, entry) || !add_victim(sweep, entry)) continue;
    if (group_now && entry->stat.pgid == sweep->proc->pid) continue;
    send_signal(sweep, entry, SIGTERM);
    send_signal(sweep, entry, SIGCONT);
  }
}

static size_t count_left(const struct sweep *sweep, bool with_kept) {
  const struct walk *walk = &sweep->procs->walk;
  size_t count = 0;
  for (size_t i = 0; i < walk->count; i++)
    if (concerns(sweep, &walk->entries[i]) && (with_kept || !kept(sweep, &walk->entries[i])))
      count++;
  return count;
}

static void tell(const struct sweep *sweep) {
  const struct walk *walk = &sweep->procs->walk;
  size_t count = count_left(sweep, true);
  struct swept_event *event = mem_new(sizeof *event + count * sizeof *event->survivors);
  event->event.kind = EV_SWEPT;
  event->event.id = sweep->id;
  event->killed = sweep->killed;
  for (size_t i = 0; i < walk->count; i++) {
    const struct walk_entry *entry = &walk->entries[i];
    if (!concerns(sweep, entry)) continue;
    struct survivor *survivor = &event->survivors[event->count++];
    survivor->pid = entry->stat.pid;
    survivor->state = entry->stat.state;
    survivor->spared = kept(sweep, entry);
    memcpy(survivor->name, entry->stat.name, sizeof survivor->name);
  }
  loop_push(sweep->procs->loop, &event->event);
}

static void spare(struct procs *procs, const struct procfs_stat *stat) {
  size_t size = (procs->spared_count + 1) * sizeof *procs->spared;
  procs->spared = mem_resize(procs->spared, size);
  procs->spared[procs->spared_count++] =
      (struct tree_spared_process){.pid = stat->pid, .start = stat->start};
}

// Who lives on because the sweep was told so is remembered for the end of all.
static void remember_spared(const struct sweep *sweep) {
  struct procs *procs = sweep->procs;
  if (!sweep->proc || (!sweep->group_only && !sweep->keep_count)) return;
  for (size_t i = 0; i < procs->walk.count; i++) {
    const struct walk_entry *entry = &procs->walk.entries[i];
    if (entry->owner != sweep->id || !walk_alive(entry)) continue;
    if (kept(sweep, entry) || !concerns(sweep, entry)) spare(procs, &entry->stat);
  }
}

struct tree_spared_process *procs_spared(const struct procs *procs, size_t *count) {
  *count = procs->spared_count;
  if (!*count) return NULL;
  return (struct tree_spared_process *)mem_dup(procs->spared, *count * sizeof *procs->spared);
}

// A leader that could not be killed is kept in mind by its pid alone, and reaped when it ends.
static void let_go(struct proc *proc) {
  if (proc->exited) {
    pipes_close(proc);
    proc_forget(proc);
    return;
  }
  proc->abandoned = proc->muted = true;
  idmap_remove(&proc->procs->by_id, proc->id);
}

static void finish(struct sweep *sweep) {
  struct proc *proc = sweep->proc;
  remember_spared(sweep);
  if (proc && !proc->told && proc->exited) reap_tell(proc);
  if (!proc || !proc->muted) tell(sweep);
  sweep_free(sweep);
  if (proc) let_go(proc);
}

static bool given_up(const struct sweep *sweep, uint64_t now_ms) {
  return sweep->give_up_at_ms && now_ms >= sweep->give_up_at_ms;
}

static bool over(const struct sweep *sweep, uint64_t now_ms) {
  bool leader_ended = !sweep->proc || sweep->proc->told;
  return given_up(sweep, now_ms) || (leader_ended && !count_left(sweep, false));
}

static void look_again(struct sweep *sweep, uint64_t now_ms) {
  uint64_t ms = sweep->pause_ms;
  if (now_ms < sweep->kill_at_ms && now_ms + ms > sweep->kill_at_ms)
    ms = sweep->kill_at_ms - now_ms;
  if (sweep->pause_ms < PAUSE_MAX_MS) sweep->pause_ms *= 2;
  look_in(sweep->procs, ms);
}

// What is to be killed is so as soon as it is found: it might fork faster than we look.
static void kill_found(struct procs *procs, const struct walk_entry *entry) {
  list_each(link, &procs->sweeps) {
    struct sweep *sweep = list_entry(link, struct sweep, link);
    if (!sweep->killing || !concerns(sweep, entry) || kept(sweep, entry)) continue;
    add_victim(sweep, entry);
    send_signal(sweep, entry, SIGKILL);
  }
}

// Which of them are past their grace; true when any is.
static bool begin_killing(struct procs *procs) {
  uint64_t now_ms = loop_now_ms(procs->loop);
  bool any = false;
  list_each(link, &procs->sweeps) {
    struct sweep *sweep = list_entry(link, struct sweep, link);
    if (now_ms < sweep->kill_at_ms) continue;
    any = sweep->killing = true;
    if (sweep->termed || sweep->killed) signal_group(sweep, SIGKILL); // a look may take long
  }
  return any;
}

static int look(struct procs *procs) {
  bool whole = false, killing = begin_killing(procs);
  list_each(link, &procs->sweeps) whole = whole || !list_entry(link, struct sweep, link)->proc;
  return walk_take(procs, whole ? WALK_WHOLE : WALK_STRAYS, killing ? kill_found : NULL);
}

static void proceed(struct sweep *sweep, bool blind, uint64_t now_ms) {
  if (sweep->killing) {
    signal_group(sweep, SIGKILL); // those outside of it got theirs when they were found
    if (!sweep->give_up_at_ms) sweep->give_up_at_ms = now_ms + PERSIST_MS;
  } else if (blind) {
    term_group(sweep);
  } else {
    term_all(sweep);
  }
  look_again(sweep, now_ms);
}

void sweep_on_timer(uv_timer_t *timer) {
  struct procs *procs = timer->data;
  int error = look(procs);
  uint64_t now_ms = loop_now_ms(procs->loop);
  list_each(link, &procs->sweeps) {
    struct sweep *sweep = list_entry(link, struct sweep, link);
    if (error ? given_up(sweep, now_ms) : over(sweep, now_ms))
      finish(sweep);
    else
      proceed(sweep, error != 0, now_ms);
  }
  if (procs->living)
    reap_seen_orphans(procs); // the look has met them all
  else
    reap_orphans(procs);
}

static struct sweep *sweep_new(struct procs *procs, struct proc *proc, uint64_t id) {
  struct sweep *sweep = mem_new(sizeof *sweep);
  sweep->procs = procs;
  sweep->proc = proc;
  sweep->id = id;
  sweep->kill_at_ms = UINT64_MAX;
  if (proc) proc->sweeping = true;
  list_append(&procs->sweeps, &sweep->link);
  return sweep;
}

static void sweep_begin(struct sweep *sweep, const struct sweep_options *options) {
  uint64_t now_ms = loop_now_ms(sweep->procs->loop);
  uint64_t kill_at_ms = now_ms + options->grace_ms;
  sweep->group_only = options->group_only;
  sweep->keep_count = options->keep_count;
  sweep->keep = options->keep_count ? mem_new(options->keep_count * sizeof *sweep->keep) : NULL;
  for (size_t i = 0; i < options->keep_count; i++) sweep->keep[i] = mem_strdup(options->keep[i]);
  if (kill_at_ms < sweep->kill_at_ms) sweep->kill_at_ms = kill_at_ms;
  sweep->pause_ms = PAUSE_FIRST_MS;
  sweep_soon(sweep->procs);
}

static struct sweep *find(const struct procs *procs, uint64_t id) {
  for (struct list *link = procs->sweeps.next; link != &procs->sweeps; link = link->next) {
    struct sweep *sweep = list_entry(link, struct sweep, link);
    if (sweep->id == id) return sweep;
  }
  return NULL;
}

static void sweep_hasten(struct sweep *sweep, uint64_t grace_ms) {
  uint64_t kill_at_ms = loop_now_ms(sweep->procs->loop) + grace_ms;
  if (kill_at_ms < sweep->kill_at_ms) sweep->kill_at_ms = kill_at_ms;
  sweep_soon(sweep->procs);
}

int procs_sweep(struct procs *procs, uint64_t id, const struct sweep_options *options) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return -ENOENT;
  if (proc->sweeping)
    sweep_hasten(find(procs, id), options->grace_ms);
  else
    sweep_begin(sweep_new(procs, proc, id), options);
  return 0;
}

uint64_t procs_sweep_all(struct procs *procs, const struct sweep_options *options) {
  struct sweep *sweep = sweep_new(procs, NULL, loop_new_id(procs->loop));
  sweep_begin(sweep, options);
  return sweep->id;
}

bool procs_cancel(struct procs *procs, uint64_t id) {
  struct proc *proc = idmap_get(&procs->by_id, id);
  if (!proc) return false;
  proc->muted = true;
  loop_forget(procs->loop, id);
  return procs_sweep(procs, id, &(struct sweep_options){.grace_ms = 0}) == 0;
}
