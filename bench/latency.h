// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_BENCH_LATENCY_H
#define LINNET_BENCH_LATENCY_H
/* What the programs that scripts/bench_latency.py starts share, in C and C++: one network of one library, one
   sample at a time, in a process of its own. The result is printed as lines "name value". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double bench_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static inline int bench_smaller(const void* a, const void* b) {
  const float x = *(const float*)a, y = *(const float*)b;
  return (x > y) - (x < y);
}

/* Largest resident memory of this process alone: getrusage would count what its parent had before exec. */
static inline long long bench_peak_rss_bytes(void) {
  long long kib = 0;
  char line[256];
  FILE* status = fopen("/proc/self/status", "r");
  if (status == NULL) return 0;
  while (fgets(line, sizeof line, status) != NULL)
    if (sscanf(line, "VmHWM: %lld", &kib) == 1) break;
  fclose(status);
  return kib * 1024;
}

/* Numbers in [-1, 1), the same everywhere. */
static inline void bench_fill(float* values, size_t count) {
  unsigned state = 1;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) * (1.0f / 8388608.0f) - 1.0f;
  }
}

enum { BENCH_MOST_RUNS = 1 << 16 };

/* Runs for about `seconds`, a third of them before the clock counts (a first run that compiles may take them
   all: 16 are counted in any case), and prints median and 99th percentile of single runs. The peak of memory
   is read before the list of times is sorted. */
static inline void bench_latency(void (*run)(void*), void* state, double seconds) {
  static float times[BENCH_MOST_RUNS];
  const double start = bench_now_us();
  while (bench_now_us() - start < seconds * 1e6 / 3) run(state);
  const long long rss = bench_peak_rss_bytes();
  size_t count = 0;
  double before = bench_now_us();
  while (count < 16 || (count < BENCH_MOST_RUNS && before - start < seconds * 1e6)) {
    run(state);
    const double after = bench_now_us();
    times[count++] = (float)(after - before);
    before = after;
  }
  qsort(times, count, sizeof times[0], bench_smaller);
  printf("latency_us_median %.3f\nlatency_us_p99 %.3f\npeak_rss_bytes %lld\n", (double)times[count / 2],
         (double)times[count - 1 - count / 100], rss);
}

#endif
