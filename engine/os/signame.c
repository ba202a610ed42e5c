#include "os/signame.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *signame(int signo, char buffer[static SIGNAME_SIZE]) {
  const char *name = sigabbrev_np(signo);
  if (name) return name;
  if (signo >= SIGRTMIN && signo <= SIGRTMAX)
    snprintf(buffer, SIGNAME_SIZE, "RTMIN+%d", signo - SIGRTMIN);
  else
    snprintf(buffer, SIGNAME_SIZE, "%d", signo);
  return buffer;
}

int signame_number(const char *name) {
  if (!strncmp(name, "SIG", 3)) name += 3;
  for (int signo = 1; signo <= SIGRTMAX; signo++) {
    char buffer[SIGNAME_SIZE];
    if (!strcmp(name, signame(signo, buffer))) return signo;
  }
  return 0;
}
