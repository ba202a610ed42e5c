#include "loop/timer.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/list.h"
#include "base/mem.h"

// Longer than any machine runs, and far from overflow: 1,000 years.
#define DELAY_MAX_MS UINT64_C(31536000000000)

struct timers {
  struct loop *loop;
  uv_timer_t alarm;    // at the earliest deadline
  uint64_t alarm_us;   // what it is set to, 0: not set
  uint64_t sequence;   // of the last timer started
  struct timer **heap; // from slot 1 on; the parent of slot n is n / 2
  size_t count, capacity;
  struct idmap sleepers; // id → struct sleeper
};

struct sleeper {
  struct timer timer;
  struct timers *timers;
  uint64_t id;
};

static bool before(const struct timer *a, const struct timer *b) {
  return a->due_us != b->due_us ? a->due_us < b->due_us : a->sequence < b->sequence;
}

static void put(struct timers *timers, size_t slot, struct timer *timer) {
  timers->heap[slot] = timer;
  timer->slot = slot;
}

static void sift_up(struct timers *timers, struct timer *timer) {
  size_t slot = timer->slot;
  for (; slot > 1 && before(timer, timers->heap[slot / 2]); slot /= 2)
    put(timers, slot, timers->heap[slot / 2]);
  put(timers, slot, timer);
}

static void sift_down(struct timers *timers, struct timer *timer) {
  size_t slot = timer->slot;
  for (size_t child; (child = slot * 2) <= timers->count; slot = child) {
    if (child < timers->count && before(timers->heap[child + 1], timers->heap[child])) child++;
    if (!before(timers->heap[child], timer)) break;
    put(timers, slot, timers->heap[child]);
  }
  put(timers, slot, timer);
}

static void heap_add(struct timers *timers, struct timer *timer) {
  if (timers->count + 1 >= timers->capacity) {
    timers->capacity = timers->capacity ? timers->capacity * 2 : 16;
    timers->heap = mem_resize(timers->heap, timers->capacity * sizeof *timers->heap);
  }
  put(timers, ++timers->count, timer);
  sift_up(timers, timer);
}

static void heap_remove(struct timers *timers, struct timer *timer) {
  struct timer *last = timers->heap[timers->count--];
  if (last != timer) {
    put(timers, timer->slot, last);
    sift_up(timers, last);
    sift_down(timers, last);
  }
  timer->slot = 0;
}

static void on_alarm(uv_timer_t *alarm);

// Sets libuv's timer to the earliest deadline, if it isn't already.
static void set_alarm(struct timers *timers) {
  if (!timers->count) {
    if (timers->alarm_us) uv_timer_stop(&timers->alarm);
    timers->alarm_us = 0;
    return;
  }
  uint64_t due_us = timers->heap[1]->due_us;
  if (due_us == timers->alarm_us) return;
  uint64_t now_us = loop_now_us(timers->loop);
  uv_update_time(&timers->loop->uv);
  uv_timer_start(&timers->alarm, on_alarm, due_us > now_us ? (due_us - now_us + 999) / 1000 : 0, 0);
  timers->alarm_us = due_us;
}

// Fires what is due now. What a callback starts has a later sequence and waits for the next turn.
static void on_alarm(uv_timer_t *alarm) {
  struct timers *timers = alarm->data;
  uint64_t now_us = loop_now_us(timers->loop), last = timers->sequence;
  timers->alarm_us = 0;
  while (timers->count && timers->heap[1]->due_us <= now_us && timers->heap[1]->sequence <= last) {
    struct timer *timer = timers->heap[1];
    heap_remove(timers, timer);
    timer->fire(timer);
  }
  set_alarm(timers);
}

struct timers *timers_create(struct loop *loop) {
  struct timers *timers = mem_new(sizeof *timers);
  timers->loop = loop;
  uv_timer_init(&loop->uv, &timers->alarm);
  timers->alarm.data = timers;
  return timers;
}

static void on_closed(uv_handle_t *alarm) {
  free(alarm->data);
}

void timers_destroy(struct timers *timers) {
  if (!timers) return;
  size_t at = 0;
  for (void *sleeper; idmap_next(&timers->sleepers, &at, NULL, &sleeper);) free(sleeper);
  idmap_finish(&timers->sleepers);
  free(timers->heap);
  uv_close((uv_handle_t *)&timers->alarm, on_closed);
}

void timer_start(struct timers *timers, struct timer *timer, uint64_t delay_ms, timer_fn fire) {
  if (timer->slot) heap_remove(timers, timer);
  if (delay_ms > DELAY_MAX_MS) delay_ms = DELAY_MAX_MS;
  timer->due_us = loop_now_us(timers->loop) + delay_ms * 1000;
  timer->sequence = ++timers->sequence;
  timer->fire = fire;
  heap_add(timers, timer);
  set_alarm(timers);
}

void timer_stop(struct timers *timers, struct timer *timer) {
  if (!timer->slot) return;
  heap_remove(timers, timer);
  set_alarm(timers);
}

bool timer_running(const struct timer *timer) {
  return timer->slot != 0;
}

static void sleeper_fire(struct timer *timer) {
  struct sleeper *sleeper = list_entry(timer, struct sleeper, timer);
  struct timer_event *event = mem_new(sizeof *event);
  event->event.kind = EV_TIMER;
  event->event.id = sleeper->id;
  loop_push(sleeper->timers->loop, &event->event);
  idmap_remove(&sleeper->timers->sleepers, sleeper->id);
  free(sleeper);
}

uint64_t timers_after(struct timers *timers, uint64_t delay_ms) {
  struct sleeper *sleeper = mem_new(sizeof *sleeper);
  sleeper->timers = timers;
  sleeper->id = loop_new_id(timers->loop);
  idmap_set(&timers->sleepers, sleeper->id, sleeper);
  timer_start(timers, &sleeper->timer, delay_ms, sleeper_fire);
  return sleeper->id;
}

bool timers_cancel(struct timers *timers, uint64_t id) {
  struct sleeper *sleeper = idmap_remove(&timers->sleepers, id);
  if (!sleeper) return false;
  timer_stop(timers, &sleeper->timer);
  free(sleeper);
  return true;
}

size_t timers_count(const struct timers *timers) {
  return timers->count;
}
