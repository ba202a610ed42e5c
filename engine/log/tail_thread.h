// The thread behind log/tail.h, and what it shares with the loop's.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/idmap.h"
#include "base/list.h"
#include "log/bytes.h"
#include "log/follow.h"
#include "log/out.h"
#include "log/render.h"
#include "log/tail.h"

struct tail {
  uint64_t id;
  struct list link; // in tails.all
  bool woken;       // under the lock
  // The thread's:
  bool active;
  struct follow follow;
  char *prefix[2]; // of stdout and ours, of stderr
  size_t prefix_size[2];
};

// What is done in order, between the bytes before its time and those behind.
enum tail_job_kind { TAIL_SAY, TAIL_DRAIN, TAIL_CLOSE };

struct tail_job {
  struct tail_job *next;
  enum tail_job_kind kind;
  uint64_t mono_us;
  uint64_t id;       // of a drain
  struct tail *tail; // to close
  size_t size;
  char text[];
};

struct tails {
  struct loop *loop;
  struct idmap tails, drains; // the loop's
  uv_async_t news;
  uv_poll_t watch;  // of watch_fd
  int watch_fd;     // an epoll: the output itself must not be made non-blocking; -1: none
  unsigned handles; // not closed yet
  bool told;        // that nobody can read any more
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  pthread_cond_t work, over; // something to do; the thread has ended
  bool finished;             // it has
  // Under the lock:
  struct list all;
  struct tail_job *first_job, *last_job, *answers;
  size_t said_bytes;
  bool woken, escape, stopping, tell_gone;
  // The thread's; free for others when it has ended:
  struct tail **active; // those with something to show
  size_t active_count, active_capacity;
  bool gone; // has been told
  struct out out;
  struct render render;
  struct bytes block; // bytes of one tail, read ahead
  const struct tail *block_of;
  uint64_t block_at;
};

void *tail_thread_run(void *context); // struct tails
void tail_free(struct tail *tail);
