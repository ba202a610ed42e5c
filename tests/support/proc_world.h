// A loop with processes on it, for tests: remembers every event, and waits for conditions.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc/procs.h"

enum { WORLD_DEADLINE_MS = 60000, WORLD_EVENTS = 4096 };

struct world {
  struct loop loop;
  struct procs *procs;
  struct exit_event *exits[WORLD_EVENTS]; // copies; what was captured is ours too
  struct swept_event *swepts[WORLD_EVENTS];
  struct jobstop_event jobstops[64];
  size_t exit_count, swept_count, jobstop_count;
};

static void world_deliver(struct event *event, void *context) {
  struct world *world = context;
  if (event->kind == EV_EXIT) {
    struct exit_event *exit = (struct exit_event *)event;
    struct exit_event *copy = malloc(sizeof *copy);
    *copy = *exit;
    exit->captured[0].bytes = exit->captured[1].bytes = NULL;
    world->exits[world->exit_count++] = copy;
  } else if (event->kind == EV_SWEPT) {
    struct swept_event *swept = (struct swept_event *)event;
    size_t size = sizeof *swept + swept->count * sizeof *swept->survivors;
    world->swepts[world->swept_count] = malloc(size);
    memcpy(world->swepts[world->swept_count++], swept, size);
  } else if (event->kind == EV_JOBSTOP && world->jobstop_count < 64) {
    world->jobstops[world->jobstop_count++] = *(struct jobstop_event *)event;
  }
}

static void world_turn(void *context) {
  loop_stop(&((struct world *)context)->loop);
}

static struct world *world_new(const struct kernel *kernel) {
  struct world *world = calloc(1, sizeof *world);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  assert_int_equal(loop_init(&world->loop, world_deliver, world_turn, world), 0);
  world->procs = procs_create_on(&world->loop, kernel ? kernel : &kernel_linux);
  return world;
}

static void world_tick(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

// One round of the loop, of at most a few milliseconds.
static void world_step(struct world *world) {
  uv_timer_t *tick = malloc(sizeof *tick);
  uv_timer_init(&world->loop.uv, tick);
  uv_timer_start(tick, world_tick, 5, 0);
  uv_run(&world->loop.uv, UV_RUN_ONCE);
  uv_close((uv_handle_t *)tick, (uv_close_cb)free);
  for (struct event *event; (event = world->loop.queue.first);) {
    world->loop.queue.first = event->next;
    if (!event->next) world->loop.queue.last = NULL;
    world_deliver(event, world);
    if (event->destroy)
      event->destroy(event);
    else
      free(event);
  }
}

#define world_until(world, condition)                                                              \
  do {                                                                                             \
    uint64_t world_end = loop_now_ms(&(world)->loop) + WORLD_DEADLINE_MS;                          \
    while (!(condition)) {                                                                         \
      if (loop_now_ms(&(world)->loop) > world_end) fail_msg("never: %s", #condition);              \
      world_step(world);                                                                           \
    }                                                                                              \
  } while (0)

static struct exit_event *world_exit_of(struct world *world, uint64_t id) {
  for (size_t i = 0; i < world->exit_count; i++)
    if (world->exits[i]->event.id == id) return world->exits[i];
  return NULL;
}

static struct swept_event *world_swept_of(struct world *world, uint64_t id) {
  for (size_t i = 0; i < world->swept_count; i++)
    if (world->swepts[i]->event.id == id) return world->swepts[i];
  return NULL;
}

static const char *const world_env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};

static struct procs_spec world_spec(const char *const *argv) {
  return (struct procs_spec){
      .spawn =
          {
              .argv = argv,
              .env = world_env,
              .stdio = {SPAWN_PIPE, SPAWN_CAPTURE, SPAWN_CAPTURE},
              .session = true,
              .umask = -1,
              .pdeathsig = SIGTERM,
          },
  };
}

static uint64_t world_spawn(struct world *world, const struct procs_spec *spec, pid_t *pid) {
  uint64_t id = 0;
  pid_t unused;
  struct spawn_failure failure;
  if (procs_spawn(world->procs, spec, &id, pid ? pid : &unused, &failure) != 0)
    fail_msg("spawn: %s", failure.message);
  return id;
}

// A shell command, its output captured.
static uint64_t world_shell(struct world *world, const char *command, pid_t *pid) {
  const char *argv[] = {"sh", "-c", command, NULL};
  struct procs_spec spec = world_spec(argv);
  return world_spawn(world, &spec, pid);
}

static struct exit_event *world_wait(struct world *world, uint64_t id) {
  world_until(world, world_exit_of(world, id));
  return world_exit_of(world, id);
}

static struct swept_event *world_sweep(struct world *world, uint64_t id,
                                       struct sweep_options options) {
  assert_int_equal(procs_sweep(world->procs, id, &options), 0);
  world_until(world, world_swept_of(world, id));
  return world_swept_of(world, id);
}

// Runs a shell command to its end, sweeps, and gives back what it wrote to stdout.
static const char *world_output(struct world *world, const struct procs_spec *spec) {
  uint64_t id = world_spawn(world, spec, NULL);
  struct exit_event *exit = world_wait(world, id);
  world_sweep(world, id, (struct sweep_options){0});
  exit->captured[0].bytes = realloc(exit->captured[0].bytes, exit->captured[0].size + 1);
  exit->captured[0].bytes[exit->captured[0].size] = '\0';
  return exit->captured[0].bytes;
}

// Alive and no zombie.
static bool world_alive(pid_t pid) {
  struct procfs_stat stat;
  return procfs_stat(&kernel_linux, pid, &stat) == 0 && stat.state != 'Z';
}

static bool world_has_children(void) {
  siginfo_t info;
  return kernel_linux.waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL) != -ECHILD;
}

// After each test nothing may be left of it.
static void world_free(struct world *world) {
  bool left = world_has_children();
  procs_destroy(world->procs);
  loop_finish(&world->loop);
  for (size_t i = 0; i < world->exit_count; i++) {
    free(world->exits[i]->captured[0].bytes);
    free(world->exits[i]->captured[1].bytes);
    free(world->exits[i]);
  }
  for (size_t i = 0; i < world->swept_count; i++) free(world->swepts[i]);
  free(world);
  assert_false(left);
}

// For those of the functions above that a test has no use for.
__attribute__((unused)) static void *const world_unused[] = {
    (void *)world_shell, (void *)world_output, (void *)world_alive,
    (void *)world_new,   (void *)world_free,
};
