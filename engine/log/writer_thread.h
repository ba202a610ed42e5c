// The writing thread, and what it shares with the loop's side (log/writer.h).
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "log/chunk.h"
#include "log/writer.h"

struct writer {
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  pthread_cond_t work, idle; // something to do; something got done
  struct chunk_pool pool;
  writer_wake_fn wake;
  void *context;
  // Under the lock:
  struct store *ready_first, *ready_last; // with chunks to write, or to close
  struct list unopened;                   // stores whose files are to be made at `open_us`
  struct list news;                       // stores that notify and have grown, oldest first
  uint64_t open_us, open_by_us;           // the latter is never put off
  unsigned unopened_count;
  struct store **faulted; // to be tried again
  unsigned faulted_count;
  uint64_t queued_bytes;
  unsigned closing_count;
  bool busy; // the thread has a store in its hands
  bool stopping, room_wanted, armed;
  struct event_logfault *faults_first, *faults_last;
};

void *writer_thread_run(void *context); // struct writer
