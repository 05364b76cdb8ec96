// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loops over n floats by vectors, the rest included. The body gets the index and an accessor:
//
//   for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
//     at.store(f(at.load(x + i)), y + i);
//   });

#include "linnet/core/kernels/vec.h"
#include "linnet/core/kernels/vec16.h"

#define LINNET_INLINE_LAMBDA __attribute__((always_inline))

namespace linnet::kernels::LINNET_ISA {

struct WholeVector {
  LINNET_INLINE F load(const float* p) const { return F::load(p); }
  LINNET_INLINE void store(F x, float* p) const { x.store(p); }
};
struct PartOfVector {
  std::ptrdiff_t n;
  LINNET_INLINE F load(const float* p) const { return F::load(p, n); }
  LINNET_INLINE void store(F x, float* p) const { x.store(p, n); }
};

/// A number as a type, for a generic lambda to be compiled for.
template <int n>
struct Count {
  static constexpr int count = n;
};

template <class Body>
LINNET_INLINE void for_vectors(std::ptrdiff_t n, Body body) {
  std::ptrdiff_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, WholeVector{});
  if (i < n) body(i, PartOfVector{n - i});
}

/// Elements that a sum takes at once: each such chunk has a sum of its own, and these are added in order.
inline constexpr std::ptrdiff_t kChunk = 4096;

/// The sum of term(i, at) in 16 lanes, lane j taking elements j, j + 16, ...: behind the end `term` may
/// return anything.
template <class Term>
LINNET_INLINE float sum_of(std::ptrdiff_t n, Term term) {
  float total = 0.0f;
  for (std::ptrdiff_t begin = 0; begin < n; begin += kChunk) {
    const std::ptrdiff_t end = begin + kChunk < n ? begin + kChunk : n;
    F16 sum = F16::of(0.0f);
    std::ptrdiff_t i = begin;
    for (; i + 16 <= end; i += 16)
      for (int part = 0; part < F16::kParts; ++part) sum.part[part] += term(i + part * kLanes, WholeVector{});
    for (int part = 0; part < F16::kParts; ++part, i += kLanes) {
      if (i + kLanes <= end)
        sum.part[part] += term(i, WholeVector{});
      else if (i < end)
        sum.part[part] += first(end - i, term(i, PartOfVector{end - i}));
    }
    total = begin == 0 ? sum.sum() : total + sum.sum();
  }
  return total;
}

/// The largest of n >= 1 elements; NaN wins.
LINNET_INLINE float max_of(const float* x, std::ptrdiff_t n) {
  F16 max = F16::of(-__builtin_inff());
  std::ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int part = 0; part < F16::kParts; ++part)
      max.part[part] = m::max(max.part[part], F::load(x + i + part * kLanes));
  for (int part = 0; part < F16::kParts && i < n; ++part, i += kLanes)
    max.part[part] =
        m::max(max.part[part], i + kLanes <= n ? F::load(x + i) : F::load(x + i, n - i, -__builtin_inff()));
  return max.max();
}

}  // namespace linnet::kernels::LINNET_ISA
