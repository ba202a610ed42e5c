#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/host.h"
#include "host/verb.h"
#include "proc/procs.h"
#include "roles/roles.h"

// Where this binary lies; as it was called when /proc isn't there.
static const char *own_path(const char *called, char *buffer, size_t size) {
  ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
  if (length <= 0) return called;
  buffer[length] = '\0';
  return buffer;
}

// `pactlua --stdlib DIR …` or PACTLUA_STDLIB: the standard library of a checkout. Its whole path,
// for the engine's working directory is the recipe's.
static const char *take_stdlib(int *argc, char ***argv, char buffer[static PATH_MAX]) {
  const char *dir = getenv("PACTLUA_STDLIB");
  if (*argc > 2 && !strcmp((*argv)[1], "--stdlib")) {
    dir = (*argv)[2];
    *argc -= 2;
    *argv += 2;
  }
  if (!dir || !*dir) return NULL;
  return realpath(dir, buffer) ? buffer : dir;
}

static int end(int status) {
  if (status < 256) return status;
  fflush(NULL);
  signal(status - 256, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  raise(status - 256);
  return 128 + status - 256; // a signal whose default is to do nothing
}

static int run(const struct host_options *options) {
  struct host host;
  int error = host_open(&host, options);
  if (error) fprintf(stderr, "pactlua: can't start: %s\n", strerror(-error));
  int status = error ? 1 : host_run(&host);
  struct tree_spared spared = {0};
  struct tree_spared_process *list = NULL;
  if (!error && host.engine.procs)
    spared.list = list = procs_spared(host.engine.procs, &spared.count);
  bool engine = options->link && !options->link->front;
  host_leave(&host);
  if (engine) roles_engine_leaves(options->link, &spared);
  free(list);
  return status;
}

// In a network's front and engine: which one this is. NULL: there are no processes to be had.
static const char *split(struct host_options *options, struct front_link *link) {
  enum role role;
  int error = roles_split(link, &role);
  if (error) {
    fprintf(stderr, "pactlua: can't start guard and engine: %s\n", strerror(-error));
    return NULL;
  }
  options->link = link;
  return role == ROLE_FRONT ? "front" : "engine";
}

int main(int argc, char **argv) {
  if (argc == 2 && (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version"))) {
    puts("pactlua " PACTLUA_VERSION);
    if (fflush(stdout) == 0) return 0;
    perror("pactlua: stdout");
    return 1;
  }
  char path[PATH_MAX], stdlib[PATH_MAX];
  struct host_options options = {.role = "solo"};
  struct front_link link;
  fd_claim_standard();
  options.stdlib = take_stdlib(&argc, &argv, stdlib);
  options.count = argc > 0 ? argc - 1 : 0;
  options.args = argv + 1;
  options.terminal = isatty(STDOUT_FILENO);
  if (verb_runs_network(options.count, options.args)) options.role = split(&options, &link);
  if (!options.role) return 1;
  options.program = own_path(argv[0], path, sizeof path);
  return end(run(&options));
}
