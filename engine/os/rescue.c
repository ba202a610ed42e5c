#include "os/rescue.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { STACK_SIZE = 32 * 1024 };

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
static const int ends[] = {SIGTERM, SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,
                           SIGUSR2, SIGALRM, SIGXCPU, SIGXFSZ};
enum { FAULTS = sizeof faults / sizeof *faults, ENDS = sizeof ends / sizeof *ends };

// What a handler sees: it gets no context from anybody.
static struct {
  volatile sig_atomic_t armed;
  int fd;
  struct termios before;
  volatile sig_atomic_t size;
  char words[RESCUE_WORDS];
  struct sigaction was[FAULTS + ENDS]; // sa_flags -1: it is not ours
  char stack[STACK_SIZE];              // for a fault of the stack
} rescue;

static int signal_at(int i) {
  return i < FAULTS ? faults[i] : ends[i - FAULTS];
}

// Not from behind another job's back: a shell has set what it needs.
static void give_back(void) {
  if (!rescue.armed || tcgetpgrp(rescue.fd) != getpgrp()) return;
  rescue.armed = 0;
  tcsetattr(rescue.fd, TCSANOW, &rescue.before);
  if (rescue.size && write(rescue.fd, rescue.words, (size_t)rescue.size) < 0) return;
}

// A fault comes again when its instruction is run again; any other signal is sent anew, and held
// until this returns.
static void on_signal(int signo, siginfo_t *info, void *context) {
  (void)context;
  int error = errno;
  give_back();
  bool fault = false;
  for (int i = 0; i < FAULTS + ENDS; i++) {
    if (signal_at(i) != signo) continue;
    fault = i < FAULTS && info->si_code > 0;
    sigaction(signo, &rescue.was[i], NULL);
  }
  if (!fault) raise(signo);
  errno = error;
}

static void take_signal(int i) {
  struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&ours.sa_mask);
  struct sigaction *was = &rescue.was[i];
  bool heard = !sigaction(signal_at(i), NULL, was) &&
               ((was->sa_flags & SA_SIGINFO) || was->sa_handler != SIG_DFL);
  if ((heard && i >= FAULTS) || sigaction(signal_at(i), &ours, was)) was->sa_flags = -1;
}

static void leave_signal(int i) {
  struct sigaction now;
  if (rescue.was[i].sa_flags == -1 || sigaction(signal_at(i), NULL, &now)) return;
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
    sigaction(signal_at(i), &rescue.was[i], NULL);
}

static void use_own_stack(void) {
  stack_t now, own = {.ss_sp = rescue.stack, .ss_size = sizeof rescue.stack};
  if (!sigaltstack(NULL, &now) && (now.ss_flags & SS_DISABLE)) sigaltstack(&own, NULL);
}

void rescue_arm(int fd, const struct termios *before) {
  bool again = rescue.armed;
  rescue.armed = 0;
  rescue.fd = fd;
  rescue.before = *before;
  if (!again) {
    rescue.size = 0;
    use_own_stack();
    for (int i = 0; i < FAULTS + ENDS; i++) take_signal(i);
  }
  rescue.armed = 1;
}

void rescue_say(const char *bytes, size_t size) {
  if (size > sizeof rescue.words) return;
  rescue.size = 0;
  memcpy(rescue.words, bytes, size);
  rescue.size = (sig_atomic_t)size;
}

void rescue_disarm(void) {
  if (!rescue.armed) return;
  rescue.armed = 0;
  for (int i = 0; i < FAULTS + ENDS; i++) leave_signal(i);
}
