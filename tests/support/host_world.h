// Runs Lua in a real host: a source text stands in for pact.main, in a directory of its own.
#pragma once
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "os/fs.h"

static char host_world_dir[64];

static int host_world_setup(void **state) {
  (void)state;
  char path[128];
  strcpy(host_world_dir, "/tmp/pactlua-test-XXXXXX");
  if (!mkdtemp(host_world_dir)) return -1;
  snprintf(path, sizeof path, "%s/pact", host_world_dir);
  return fs_mkdir(path, 0755);
}

static int host_world_teardown(void **state) {
  (void)state;
  return fs_remove(host_world_dir, true);
}

static void host_world_put(const char *name, const char *content) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", host_world_dir, name);
  assert_int_equal(fs_write(path, content, strlen(content), 0644, FS_WRITE_REPLACE), 0);
}

static struct host_options host_world_options(void) {
  static char first[] = "check", second[] = "x.lua", *args[] = {first, second};
  return (struct host_options){.role = "solo",
                               .program = "/bin/pactlua",
                               .count = 2,
                               .args = args,
                               .stdlib = host_world_dir,
                               .memory_max_bytes = 128 << 20};
}

// The status with which the process would end.
static inline int host_world_run(const char *source) {
  struct host host;
  struct host_options options = host_world_options();
  host_world_put("pact/main.lua", source);
  int error = host_open(&host, &options);
  int status = error ? error : host_run(&host);
  host_close(&host);
  return status;
}

// Sends stderr to a file of the world's directory; gives what host_world_heard wants.
static inline int host_world_listen(void) {
  char path[256];
  snprintf(path, sizeof path, "%s/stderr", host_world_dir);
  int before = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  fflush(stderr);
  dup2(fd, STDERR_FILENO);
  close(fd);
  return before;
}

// stderr is what it was; what was written to it meanwhile is the caller's to free.
static inline char *host_world_heard(int before) {
  char path[256], *text = NULL;
  size_t size;
  fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  snprintf(path, sizeof path, "%s/stderr", host_world_dir);
  assert_int_equal(fs_read(path, 1 << 24, &text, &size), 0);
  return text;
}
