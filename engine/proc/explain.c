// What to tell a person when a program could not be started.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/spawn.h"

// A relative file is the child's, whose directory differs from ours.
static void absolute(const struct spawn_spec *spec, const char *file, char *path, size_t size) {
  if (file[0] == '/' || !spec->cwd)
    snprintf(path, size, "%s", file);
  else
    snprintf(path, size, "%s/%s", spec->cwd, file);
}

static ssize_t read_head(const char *path, char *head, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return -1;
  struct stat st;
  ssize_t got = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, head, size - 1) : -1;
  close(fd);
  if (got >= 0) head[got] = '\0';
  return got;
}

// The program named in a #! line, in place; NULL when there is no such line.
static char *interpreter(char *head, bool *crlf) {
  if (strncmp(head, "#!", 2) != 0) return NULL;
  char *name = head + 2 + strspn(head + 2, " \t");
  size_t line = strcspn(name, "\n");
  *crlf = line && name[line - 1] == '\r';
  name[line - (*crlf ? 1 : 0)] = '\0';
  name[strcspn(name, " \t")] = '\0';
  return name;
}

// ENOENT for a file that is there: its interpreter is what was not found.
static bool explain_interpreter(const struct spawn_spec *spec, const char *file, char *text,
                                size_t size) {
  char path[PATH_MAX + 64], head[256];
  bool crlf = false;
  absolute(spec, file, path, sizeof path);
  ssize_t got = read_head(path, head, sizeof head);
  if (got < 0) return false;
  char *name = interpreter(head, &crlf);
  if (crlf)
    snprintf(text, size,
             "the lines of '%s' end in CR LF, so its interpreter '%s\\r' was not found; save it "
             "with Unix line ends",
             file, name);
  else if (name)
    snprintf(text, size, "'%s' asks for the interpreter '%s', which was not found", file, name);
  else
    snprintf(text, size, "'%s' needs a program loader that is not installed here", file);
  return true;
}

static void explain_format(const struct spawn_spec *spec, const char *file, char *text,
                           size_t size) {
  char path[PATH_MAX + 64], head[256];
  absolute(spec, file, path, sizeof path);
  ssize_t got = read_head(path, head, sizeof head);
  if (got == 0)
    snprintf(text, size, "'%s' is an empty file", file);
  else if (got >= 4 && memcmp(head,
                              "\x7f"
                              "ELF",
                              4) == 0)
    snprintf(text, size, "'%s' is a program for another kind of machine", file);
  else if (got > 0 && memchr(head, '\0', (size_t)got))
    snprintf(text, size, "'%s' is not a program", file);
  else if (got > 0 && strncmp(head, "#!", 2) != 0)
    snprintf(text, size,
             "'%s' has no #! line; begin it with #!/bin/sh, or run it by its "
             "interpreter",
             file);
  else
    snprintf(text, size, "'%s' is not in a format that can be run", file);
}

// A file of that name on the path which exists all the same.
static bool find_on_path(const struct spawn_spec *spec, const struct stage *stage, char *file,
                         size_t size) {
  for (const char *dir = stage->path;; dir++) {
    size_t length = strcspn(dir, ":");
    struct stat st;
    char path[PATH_MAX + 64];
    snprintf(file, size, "%.*s%s%s", (int)length, dir, length ? "/" : "", stage->argv[0]);
    absolute(spec, file, path, sizeof path);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) return true;
    dir += length;
    if (!*dir) return false;
  }
}

static void explain_missing(const struct spawn_spec *spec, const struct stage *stage, char *text,
                            size_t size) {
  const char *name = stage->argv[0];
  char file[PATH_MAX];
  if (!*name) {
    snprintf(text, size, "exec: the command is an empty string");
  } else if (strchr(name, '/')) {
    if (!explain_interpreter(spec, name, text, size))
      snprintf(text, size, "exec '%s': %s", name, strerror(ENOENT));
  } else if (!find_on_path(spec, stage, file, sizeof file) ||
             !explain_interpreter(spec, file, text, size)) {
    snprintf(text, size, "exec '%s': not found on PATH", name);
  }
}

static bool is_directory(const struct spawn_spec *spec, const char *file) {
  char path[PATH_MAX + 64];
  struct stat st;
  absolute(spec, file, path, sizeof path);
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// The part of a path that should be a directory and is a file.
static void explain_not_directory(const struct spawn_spec *spec, const char *name, char *text,
                                  size_t size) {
  char part[PATH_MAX], path[PATH_MAX + 64];
  struct stat st;
  const char *why = strerror(ENOTDIR);
  for (const char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
    absolute(spec, part, path, sizeof path);
    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode)) continue;
    snprintf(text, size, "exec '%s': %s: '%s' is a file", name, why, part);
    return;
  }
  snprintf(text, size, "exec '%s': %s", name, why);
}

static void explain_exec(const struct spawn_spec *spec, const struct stage *stage, char *text,
                         size_t size) {
  const char *name = stage->argv[0];
  char detail[PATH_MAX + 256] = "", found[PATH_MAX];
  const char *file = strchr(name, '/') ? name : stage->file;
  switch (stage->error) {
  case ENOENT: explain_missing(spec, stage, text, size); return;
  case ENOEXEC:
    explain_format(spec, file, detail, sizeof detail);
    snprintf(text, size, "exec '%s': %s: %s", name, strerror(ENOEXEC), detail);
    return;
  case EACCES:
    if (!strchr(name, '/') && find_on_path(spec, stage, found, sizeof found)) file = found;
    if (is_directory(spec, file))
      snprintf(text, size, "exec '%s': '%s' is a directory", name, file);
    else
      snprintf(text, size, "exec '%s': %s: '%s' can't be executed (chmod +x?)", name,
               strerror(EACCES), file);
    return;
  case EAGAIN:
    snprintf(text, size, "exec '%s': %s (its user may have no more processes: nproc)", name,
             strerror(EAGAIN));
    return;
  case ENOTDIR: explain_not_directory(spec, name, text, size); return;
  case ETXTBSY:
    snprintf(text, size, "exec '%s': %s: '%s' is being written to", name, strerror(ETXTBSY), file);
    return;
  case E2BIG:
    snprintf(text, size, "exec '%s': %s: arguments and environment are too large together", name,
             strerror(E2BIG));
    return;
  default: snprintf(text, size, "exec '%s': %s", name, strerror(stage->error));
  }
}

static void explain_user(const struct spawn_spec *spec, const struct stage *stage, char *text,
                         size_t size) {
  const char *why = strerror(stage->error);
  const char *hint = stage->error == EPERM ? " (only root may change the user)" : "";
  if (spec->set_user)
    snprintf(text, size, "user %u: %s%s", (unsigned)spec->uid, why, hint);
  else
    snprintf(text, size, "group %u: %s%s", (unsigned)spec->gid, why, hint);
}

static void explain_fork(const struct stage *stage, char *text, size_t size) {
  const char *hint = stage->error == EAGAIN
                         ? " (the limit of processes is reached: nproc, pids.max)"
                     : stage->error == EMFILE ? " (the limit of open files is reached: nofile)"
                                              : "";
  snprintf(text, size, "fork: %s%s", strerror(stage->error), hint);
}

static void explain_stdio(const struct spawn_spec *spec, const struct stage *stage, char *text,
                          size_t size) {
  const char *hint = stage->error == ENOSPC   ? " (no more are to be had: kernel.pty.max)"
                     : stage->error == ENOENT ? " (is /dev/pts mounted, and /dev/ptmx there?)"
                                              : "";
  if (spec->terminal)
    snprintf(text, size, "terminal: %s%s", strerror(stage->error), hint);
  else
    snprintf(text, size, "stdio: %s", strerror(stage->error));
}

void spawn_explain(const struct spawn_spec *spec, const struct stage *stage,
                   struct spawn_failure *failure) {
  char *text = failure->message;
  size_t size = sizeof failure->message;
  const char *why = strerror(stage->error);
  failure->step = stage->step;
  failure->error = stage->error;
  switch (stage->step) {
  case STAGE_FORK: explain_fork(stage, text, size); break;
  case STAGE_USER: explain_user(spec, stage, text, size); break;
  case STAGE_CWD:
    snprintf(text, size, "cwd '%s': %s", spec->cwd,
             stage->error == ENOENT ? "no such directory" : why);
    break;
  case STAGE_EXEC: explain_exec(spec, stage, text, size); break;
  case STAGE_NICE: snprintf(text, size, "nice %d: %s", spec->nice, why); break;
  case STAGE_OOM: snprintf(text, size, "oom_score_adj %d: %s", spec->oom_score_adj, why); break;
  case STAGE_STDIO: explain_stdio(spec, stage, text, size); break;
  case STAGE_FILES:
  case STAGE_SESSION:
  case STAGE_LISTEN:
  case STAGE_UMASK:
  case STAGE_LIMITS:
  case STAGE_PDEATHSIG:
  case STAGE_STEPS: snprintf(text, size, "%s: %s", spawn_step_name(stage->step), why); break;
  }
}
