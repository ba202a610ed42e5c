#include "loop/sig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

#define SIGNALS 65 // 1 to 64

struct signals {
  struct loop *loop;
  uv_signal_t *handles[SIGNALS];
};

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

struct signals *signals_create(struct loop *loop) {
  struct signals *signals = mem_new(sizeof *signals);
  signals->loop = loop;
  return signals;
}

void signals_destroy(struct signals *signals) {
  if (!signals) return;
  for (int signo = 1; signo < SIGNALS; signo++) signals_off(signals, signo);
  free(signals);
}

void signals_push(struct loop *loop, int signo) {
  struct signal_event *event = mem_new(sizeof *event);
  event->event.kind = EV_SIGNAL;
  event->signo = signo;
  loop_push(loop, &event->event);
}

static void on_signal(uv_signal_t *handle, int signo) {
  struct signals *signals = handle->data;
  signals_push(signals->loop, signo);
}

// Signals are held back from the forks of front, guard and engine on until here (roles/roles.c).
static void allow(int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int signals_on(struct signals *signals, int signo) {
  if (signo < 1 || signo >= SIGNALS || signo == SIGKILL || signo == SIGSTOP) return -EINVAL;
  if (signals->handles[signo]) return 0;
  uv_signal_t *handle = mem_new(sizeof *handle);
  int error = uv_signal_init(&signals->loop->uv, handle);
  if (error) {
    free(handle);
    return error;
  }
  handle->data = signals;
  uv_unref((uv_handle_t *)handle); // hearing signals is no reason to keep the loop alive
  error = uv_signal_start(handle, on_signal, signo);
  if (error) {
    uv_close((uv_handle_t *)handle, free_handle);
    return error;
  }
  signals->handles[signo] = handle;
  allow(signo);
  return 0;
}

void signals_off(struct signals *signals, int signo) {
  if (signo < 1 || signo >= SIGNALS || !signals->handles[signo]) return;
  uv_close((uv_handle_t *)signals->handles[signo], free_handle);
  signals->handles[signo] = NULL;
}
