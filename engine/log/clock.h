// Microseconds of the two clocks that a record of the index carries, and conditions that are waited
// for by the monotonic one.
#pragma once
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline uint64_t clock_wall_us(void) {
  return clock_read_us(CLOCK_REALTIME);
}
static inline uint64_t clock_mono_us(void) {
  return clock_read_us(CLOCK_MONOTONIC);
}

static inline void clock_init_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

// False after `deadline_us` on the monotonic clock.
static inline bool clock_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock,
                                    uint64_t deadline_us) {
  struct timespec at = {.tv_sec = (time_t)(deadline_us / 1000000),
                        .tv_nsec = (long)(deadline_us % 1000000 * 1000)};
  return pthread_cond_timedwait(condition, lock, &at) != ETIMEDOUT;
}
