// The process between front and engine. It holds no descriptor but a pipe, allocates nothing and
// sleeps in one system call until the engine has ended.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

// What the engine left hears TERM, and KILL so many milliseconds later.
#define GUARD_GRACE_MS 700

// What the guard tells the front over a pipe: the engine's pid at once, its status at its end.
struct guard_note {
  pid_t engine_pid; // -1: it could not be started, status is the errno
  int status;       // -1: runs; 0–255, or 128 + the signal that ended it
};

// Waits for the engine's end, ends what it left, exits with its status. *swept: the engine has done
// so itself, and what lives still is to live.
_Noreturn void guard_run(pid_t engine_pid, int notes_fd, const bool *swept);
// Writes that the engine could not be started; gives the guard's exit status.
int guard_note_failure(int notes_fd, int error);
