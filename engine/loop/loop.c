#include "loop/loop.h"

#include <stdlib.h>
#include <time.h>

static void event_free(struct event *event) {
  if (event->destroy)
    event->destroy(event);
  else
    free(event);
}

static void queue_append(struct event_queue *queue, struct event *event) {
  event->next = NULL;
  if (queue->last)
    queue->last->next = event;
  else
    queue->first = event;
  queue->last = event;
}

static struct event *queue_take(struct event_queue *queue) {
  struct event *event = queue->first;
  if (!event) return NULL;
  queue->first = event->next;
  if (!queue->first) queue->last = NULL;
  return event;
}

int loop_init(struct loop *loop, loop_deliver_fn deliver, loop_turn_fn turn, void *context) {
  *loop = (struct loop){.deliver = deliver, .turn = turn, .context = context};
  int error = uv_loop_init(&loop->uv);
  if (error) return error;
  uv_idle_init(&loop->uv, &loop->waiting);
  uv_unref((uv_handle_t *)&loop->waiting);
  return 0;
}

void loop_finish(struct loop *loop) {
  uv_close((uv_handle_t *)&loop->waiting, NULL);
  while (uv_run(&loop->uv, UV_RUN_NOWAIT)) {}
  for (struct event *event; (event = queue_take(&loop->queue));) event_free(event);
  uv_loop_close(&loop->uv);
}

// Takes the queue as it is now: what delivery itself queues waits for the next turn, so that two
// sides that answer each other can't starve the poll.
static void deliver_all(struct loop *loop) {
  if (!loop->queue.first) return;
  uv_idle_stop(&loop->waiting);
  loop->turns++;
  loop->batch = loop->queue;
  loop->queue = (struct event_queue){0};
  for (struct event *event; (event = queue_take(&loop->batch));) {
    loop->deliver(event, loop->context);
    event_free(event);
  }
  loop->turn(loop->context);
}

// A poll that a stop (SIGSTOP) has cut short ends with timers alone: what has happened before they
// were due goes with them, so that nobody takes for alive who has died meanwhile.
static void look_again(struct loop *loop) {
  if (loop->queue.first && loop->queue.first->kind == EV_TIMER) uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void loop_run(struct loop *loop) {
  while (!loop->stopping) {
    int alive = uv_run(&loop->uv, loop->queue.first ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    look_again(loop);
    if (!alive && !loop->queue.first) return;
    deliver_all(loop);
  }
}

void loop_stop(struct loop *loop) {
  loop->stopping = true;
}

uint64_t loop_new_id(struct loop *loop) {
  return ++loop->next_id;
}

static void on_waiting(uv_idle_t *idle) {
  (void)idle;
}

// A timer's callback runs before the poll of its turn, which must not make the event wait.
void loop_push(struct loop *loop, struct event *event) {
  if (!loop->queue.first) uv_idle_start(&loop->waiting, on_waiting);
  queue_append(&loop->queue, event);
}

static void queue_forget(struct event_queue *queue, uint64_t id) {
  struct event_queue kept = {0};
  for (struct event *event; (event = queue_take(queue));) {
    if (event->id == id)
      event_free(event);
    else
      queue_append(&kept, event);
  }
  *queue = kept;
}

void loop_forget(struct loop *loop, uint64_t id) {
  queue_forget(&loop->batch, id);
  queue_forget(&loop->queue, id);
}

uint64_t loop_now_us(const struct loop *loop) {
  (void)loop;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t loop_now_ms(const struct loop *loop) {
  return loop_now_us(loop) / 1000;
}

uint64_t loop_wall_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
