#include "log/tail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/clock.h"
#include "log/tail_thread.h"
#include "net/http_server.h" // struct http_gone_event

#define FINISH_MS  200
#define SAY_MAX    (1u << 20)
#define STACK_SIZE (128u << 10)
#define END_SIGNAL SIGURG // nobody else's, ignored by default

static void tell_gone(struct tails *tails, int error) {
  char text[128];
  int size = snprintf(text, sizeof text, "standard output: %s", strerror(error));
  struct http_gone_event *gone = mem_new(sizeof *gone + (size_t)size + 1);
  gone->event = (struct event){.kind = EV_GONE};
  memcpy(gone->message, text, (size_t)size);
  loop_push(tails->loop, &gone->event);
}

static void note_gone(struct tails *tails, int error) {
  if (tails->told) return;
  tails->told = true;
  tell_gone(tails, error);
}

static void take_answers(struct tails *tails) {
  pthread_mutex_lock(&tails->lock);
  struct tail_job *answers = tails->answers;
  tails->answers = NULL;
  int error = tails->tell_gone ? tails->out.error : 0;
  tails->tell_gone = false;
  pthread_mutex_unlock(&tails->lock);
  for (struct tail_job *job = answers, *next; job; job = next) {
    next = job->next;
    if (idmap_remove(&tails->drains, job->id)) {
      struct event *event = mem_new(sizeof *event);
      *event = (struct event){.kind = EV_DRAIN, .id = job->id};
      loop_push(tails->loop, event);
    }
    free(job);
  }
  if (error) note_gone(tails, error);
  if (!tails->drains.count) uv_unref((uv_handle_t *)&tails->news);
}

static void on_news(uv_async_t *async) {
  take_answers(async->data);
}

struct tails *tails_create(struct loop *loop) {
  return tails_create_fd(loop, STDOUT_FILENO);
}

struct tails *tails_create_fd(struct loop *loop, int fd) {
  struct tails *tails = mem_new(sizeof *tails);
  tails->loop = loop;
  tails->out.fd = fd;
  tails->watch_fd = -1;
  tails->handles = 1;
  tails->render.out = &tails->out;
  list_init(&tails->all);
  pthread_mutex_init(&tails->lock, NULL);
  pthread_cond_init(&tails->work, NULL);
  clock_init_condition(&tails->over);
  uv_async_init(&loop->uv, &tails->news, on_news);
  uv_unref((uv_handle_t *)&tails->news); // alone it makes no event
  tails->news.data = tails;
  return tails;
}

static void on_output_gone(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  struct tails *tails = poll->data;
  uv_poll_stop(poll);
  note_gone(tails, EPIPE);
}

void tails_watch(struct tails *tails) {
  if (tails->watch_fd >= 0) return;
  struct epoll_event nothing = {.events = 0}; // errors and hang-ups are always told
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return;
  if (epoll_ctl(fd, EPOLL_CTL_ADD, tails->out.fd, &nothing) != 0 ||
      uv_poll_init(&tails->loop->uv, &tails->watch, fd) != 0) {
    close(fd);
    return;
  }
  tails->watch_fd = fd;
  tails->watch.data = tails;
  tails->handles++;
  uv_poll_start(&tails->watch, UV_READABLE, on_output_gone);
  uv_unref((uv_handle_t *)&tails->watch);
}

static void on_end_signal(int signo) {
  (void)signo;
} // a call that waits ends with EINTR

// The thread takes no signals, they are the loop's, but for the one that ends a stalled write.
static int start(struct tails *tails) {
  if (tails->started) return 0;
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, END_SIGNAL);
  sigaction(END_SIGNAL, &(struct sigaction){.sa_handler = on_end_signal}, NULL);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&tails->thread, &attributes, tail_thread_run, tails);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  tails->started = error == 0;
  if (tails->started) pthread_setname_np(tails->thread, "pactlua-tail");
  return -error;
}

static bool ends_within(struct tails *tails, unsigned ms) {
  uint64_t until_us = clock_mono_us() + ms * 1000u;
  pthread_mutex_lock(&tails->lock);
  while (!tails->finished && clock_wait_until(&tails->over, &tails->lock, until_us)) {}
  bool finished = tails->finished;
  pthread_mutex_unlock(&tails->lock);
  return finished;
}

// The signal may come just before the call that it should end, so it comes again.
static void stop(struct tails *tails) {
  if (!tails->started) return;
  pthread_mutex_lock(&tails->lock);
  tails->stopping = true;
  pthread_cond_signal(&tails->work);
  pthread_mutex_unlock(&tails->lock);
  if (!ends_within(tails, FINISH_MS)) {
    tails->out.stop = true;
    do pthread_kill(tails->thread, END_SIGNAL);
    while (!ends_within(tails, 10));
  }
  pthread_join(tails->thread, NULL);
}

static void free_jobs(struct tail_job *job) {
  for (struct tail_job *next; job; job = next) {
    next = job->next;
    free(job);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct tails *tails = handle->data;
  if (--tails->handles) return;
  if (tails->watch_fd >= 0) close(tails->watch_fd);
  free(tails);
}

void tails_destroy(struct tails *tails) {
  if (!tails) return;
  stop(tails);
  list_each(it, &tails->all) tail_free(list_entry(it, struct tail, link));
  free_jobs(tails->first_job);
  free_jobs(tails->answers);
  free(tails->active);
  out_finish(&tails->out);
  render_finish(&tails->render);
  bytes_finish(&tails->block);
  idmap_finish(&tails->tails);
  idmap_finish(&tails->drains);
  pthread_cond_destroy(&tails->work);
  pthread_cond_destroy(&tails->over);
  pthread_mutex_destroy(&tails->lock);
  uv_close((uv_handle_t *)&tails->news, on_closed);
  if (tails->watch_fd >= 0) uv_close((uv_handle_t *)&tails->watch, on_closed);
}

int tails_open(struct tails *tails, const struct tail_options *options, uint64_t *id,
               uint64_t *offset) {
  int result = start(tails);
  if (result != 0) return result;
  struct tail *tail = mem_new(sizeof *tail);
  result = follow_open(&tail->follow, options->dir, options->name, options->from_end);
  if (result != 0) {
    free(tail);
    return result;
  }
  if (offset) *offset = follow_start(&tail->follow);
  const char *err_prefix = options->err_prefix ? options->err_prefix : options->prefix;
  tail->id = *id = loop_new_id(tails->loop);
  tail->prefix[0] = mem_strdup(options->prefix);
  tail->prefix[1] = mem_strdup(err_prefix);
  tail->prefix_size[0] = strlen(options->prefix);
  tail->prefix_size[1] = strlen(err_prefix);
  idmap_set(&tails->tails, tail->id, tail);
  pthread_mutex_lock(&tails->lock);
  list_append(&tails->all, &tail->link);
  pthread_mutex_unlock(&tails->lock);
  return 0;
}

// Without a time all tails look for new bytes: what is behind the job comes behind them.
static void add_job(struct tails *tails, struct tail_job *job, uint64_t at_us) {
  job->mono_us = at_us ? at_us : clock_mono_us();
  if (!at_us) {
    list_each(it, &tails->all) list_entry(it, struct tail, link)->woken = true;
    tails->woken = true;
  }
  if (tails->last_job)
    tails->last_job->next = job;
  else
    tails->first_job = job;
  tails->last_job = job;
  pthread_cond_signal(&tails->work);
}

static struct tail_job *new_job(enum tail_job_kind kind, size_t text_size) {
  struct tail_job *job = mem_new(sizeof *job + text_size);
  job->kind = kind;
  return job;
}

void tails_close(struct tails *tails, uint64_t id) {
  struct tail *tail = idmap_remove(&tails->tails, id);
  if (!tail) return;
  struct tail_job *job = new_job(TAIL_CLOSE, 0);
  job->tail = tail;
  pthread_mutex_lock(&tails->lock);
  add_job(tails, job, 0);
  pthread_mutex_unlock(&tails->lock);
}

void tails_wake(struct tails *tails, uint64_t id) {
  struct tail *tail = idmap_get(&tails->tails, id);
  if (!tail) return;
  pthread_mutex_lock(&tails->lock);
  tail->woken = tails->woken = true;
  pthread_cond_signal(&tails->work);
  pthread_mutex_unlock(&tails->lock);
}

void tails_style(struct tails *tails, bool escape) {
  pthread_mutex_lock(&tails->lock);
  tails->escape = escape;
  pthread_mutex_unlock(&tails->lock);
}

int tails_say(struct tails *tails, const char *text, size_t size_bytes, uint64_t at_us) {
  int result = start(tails);
  if (result != 0 || !size_bytes) return result;
  pthread_mutex_lock(&tails->lock);
  if (tails->said_bytes + size_bytes > SAY_MAX) {
    result = -EAGAIN;
  } else {
    struct tail_job *job = new_job(TAIL_SAY, size_bytes);
    memcpy(job->text, text, size_bytes);
    job->size = size_bytes;
    tails->said_bytes += size_bytes;
    add_job(tails, job, at_us);
  }
  pthread_mutex_unlock(&tails->lock);
  return result;
}

uint64_t tails_drain(struct tails *tails) {
  struct tail_job *job = new_job(TAIL_DRAIN, 0);
  uint64_t id = job->id = loop_new_id(tails->loop);
  idmap_set(&tails->drains, id, tails);
  uv_ref((uv_handle_t *)&tails->news);
  bool runs = start(tails) == 0;
  pthread_mutex_lock(&tails->lock);
  if (runs) {
    add_job(tails, job, 0);
  } else {
    job->next = tails->answers;
    tails->answers = job;
    uv_async_send(&tails->news);
  }
  pthread_mutex_unlock(&tails->lock);
  return id;
}

bool tails_cancel(struct tails *tails, uint64_t id) {
  if (!idmap_remove(&tails->drains, id)) return false;
  loop_forget(tails->loop, id);
  if (!tails->drains.count) uv_unref((uv_handle_t *)&tails->news);
  return true;
}
