#include "lib/effort.h"

#include "host/host.h"

void effort_ask(struct effort *effort) {
  effort->left = EFFORT_STEPS;
  watchdog_check(&host_of(effort->L)->watchdog, effort->L);
}
