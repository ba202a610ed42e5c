// Microseconds of the two clocks that a record of the index carries.
#pragma once
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
