// SPDX-License-Identifier: Apache-2.0
/* The loops that integer products spend their time in: compiled for speed, and not into their callers. */
#include "linnet/runtime/reference.h"

uint32_t lnt_i8_dot(const int8_t* a, const int8_t* b, size_t n, uint32_t sum) {
  for (size_t i = 0; i < n; ++i) sum += (uint32_t)((int32_t)a[i] * b[i]);
  return sum;
}

uint32_t lnt_i8_sum(const int8_t* a, size_t n, uint32_t sum) {
  for (size_t i = 0; i < n; ++i) sum += (uint32_t)(int32_t)a[i];
  return sum;
}
