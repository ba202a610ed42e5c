#include "host/watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lauxlib.h>

// A blocked process isn't a hog: wall time alone trips only after that many budgets.
#define WALL_FACTOR 20
#define SLICES      5 // of a budget

static struct watchdog *watched; // for the signal handler; one Lua state is watched at a time

static int64_t clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set_timer(struct watchdog *watchdog, int64_t at_us) {
  struct itimerspec when = {
      .it_value = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000}};
  timer_settime(watchdog->timer, TIMER_ABSTIME, &when, NULL);
}

static void arm(struct watchdog *watchdog, int64_t at_us) {
  watchdog->armed_us = at_us;
  set_timer(watchdog, at_us);
}

static void arm_no_later(struct watchdog *watchdog, int64_t at_us) {
  if (!watchdog->armed_us || watchdog->armed_us > at_us) arm(watchdog, at_us);
}

// The innermost line of Lua; functions of C have none.
static void note_place(struct watchdog_level *level, lua_State *L) {
  lua_Debug ar;
  for (int depth = 0; !level->where[0] && lua_getstack(L, depth, &ar); depth++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0)
      snprintf(level->where, sizeof level->where, "%s:%d: ", ar.short_src, ar.currentline);
  }
}

static void interrupt(lua_State *L, struct watchdog_level *level) {
  note_place(level, L);
  lua_pushfstring(L, "%sinterrupted: ran for more than %d ms without waiting", level->where,
                  level->budget_ms);
  lua_error(L);
}

static void on_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  struct watchdog_level *level = watched ? watched->level : NULL;
  if (level && level->tripped) interrupt(L, level);
  lua_sethook(L, NULL, 0, 0); // left over from a level that has been left
}

// Calls as well: a function of C may call others of C without end, with no instruction between.
static void set_hook(lua_State *L) {
  lua_sethook(L, on_hook, LUA_MASKCOUNT | LUA_MASKCALL, 1);
}

void watchdog_check(struct watchdog *watchdog, lua_State *L) {
  if (watchdog_tripped(watchdog)) interrupt(L, watchdog->level);
}

// Processor time that the level still has. It is counted from the first slice's end on: code that
// is done by then, nearly all, pays for no look at that clock.
static int64_t left_us(struct watchdog_level *level) {
  int64_t cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
  if (level->cpu_us < 0) level->cpu_us = cpu_us;
  return level->slice_us * (SLICES - 1) - (cpu_us - level->cpu_us);
}

static void on_timer(int signo) {
  (void)signo;
  int error = errno;
  struct watchdog *watchdog = watched;
  if (!watchdog) return;
  watchdog->armed_us = 0;
  struct watchdog_level *level = watchdog->level;
  if (level && level->deadline_us && !level->tripped) {
    int64_t now_us = clock_us(CLOCK_MONOTONIC), least_us = level->slice_us / SLICES;
    int64_t left = now_us < level->deadline_us ? level->slice_us : left_us(level);
    if (left < least_us || now_us >= level->limit_us) {
      level->tripped = 1;
      set_hook(watchdog->running);
    } else {
      if (now_us >= level->deadline_us) level->deadline_us = now_us + left;
      arm(watchdog, level->deadline_us);
    }
  }
  errno = error;
}

void watchdog_init(struct watchdog *watchdog) {
  *watchdog = (struct watchdog){0};
}

// The first budget makes the timer: a process that never runs hooks has none. Without SA_RESTART,
// so that code that waits in a system call instead of in a coroutine comes back too.
static bool ready(struct watchdog *watchdog) {
  if (watchdog->ready) return true;
  int signo = SIGRTMAX - 1;
  struct sigaction action = {.sa_handler = on_timer};
  sigemptyset(&action.sa_mask);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signo};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  if (sigaction(signo, &action, NULL) < 0) return false;
  if (timer_create(CLOCK_MONOTONIC, &event, &watchdog->timer) < 0) return false;
  watched = watchdog;
  return watchdog->ready = true;
}

void watchdog_finish(struct watchdog *watchdog) {
  if (!watchdog->ready) return;
  timer_delete(watchdog->timer);
  if (watched == watchdog) watched = NULL;
  watchdog->ready = false;
}

// Its processor time is being counted: what another level takes meanwhile isn't its own.
static bool counted(const struct watchdog_level *level) {
  return level && level->cpu_us >= 0;
}

void watchdog_enter(struct watchdog *watchdog, struct watchdog_level *level, lua_State *L,
                    int budget_ms) {
  int64_t now_us = clock_us(CLOCK_MONOTONIC), budget_us = (int64_t)budget_ms * 1000;
  bool timed = budget_ms > 0 && ready(watchdog);
  *level = (struct watchdog_level){
      .outer = watchdog->level,
      .before = watchdog->running,
      .started_us = now_us,
      .slice_us = budget_us / SLICES,
      .limit_us = now_us + budget_us * WALL_FACTOR,
      .deadline_us = timed ? now_us + budget_us / SLICES : 0,
      .cpu_us = -1,
      .outer_cpu_us = counted(watchdog->level) ? clock_us(CLOCK_THREAD_CPUTIME_ID) : -1,
      .budget_ms = budget_ms,
  };
  watchdog->running = L;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  watchdog->level = level; // before arming: the handler looks at the innermost level
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (timed) arm_no_later(watchdog, level->deadline_us);
}

void watchdog_leave(struct watchdog *watchdog, struct watchdog_level *level) {
  struct watchdog_level *outer = level->outer;
  if (outer && outer->deadline_us) {
    int64_t away_us = clock_us(CLOCK_MONOTONIC) - level->started_us;
    outer->deadline_us += away_us;
    outer->limit_us += away_us;
    if (level->outer_cpu_us >= 0)
      outer->cpu_us += clock_us(CLOCK_THREAD_CPUTIME_ID) - level->outer_cpu_us;
  }
  watchdog->level = outer;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  watchdog->running = level->before;
  if (outer && outer->tripped) set_hook(watchdog->running);
  if (outer && outer->deadline_us && !outer->tripped) arm_no_later(watchdog, outer->deadline_us);
}

lua_State *watchdog_switch(struct watchdog *watchdog, lua_State *to) {
  lua_State *from = watchdog->running;
  watchdog->running = to;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (to && watchdog->level && watchdog->level->tripped) set_hook(to);
  return from;
}

bool watchdog_tripped(const struct watchdog *watchdog) {
  return watchdog->level && watchdog->level->tripped;
}

bool watchdog_nested(const struct watchdog *watchdog) {
  const struct watchdog_level *level = watchdog->level;
  return level && level->outer && level->budget_ms;
}

void watchdog_rest(struct watchdog *watchdog) {
  if (!watchdog->armed_us) return;
  watchdog->armed_us = 0;
  set_timer(watchdog, 0);
}
