// SPDX-License-Identifier: Apache-2.0
#pragma once
// F16: sixteen floats in as many vectors as the set needs, folded in one fixed order.

#include "linnet/core/kernels/vec.h"

namespace linnet::kernels::LINNET_ISA {

/// Sixteen lanes, whatever the set: reductions run in them so that their order is the same everywhere.
struct F16 {
  static constexpr int kParts = 16 / kLanes;
  F part[kParts];

  LINNET_INLINE static F16 of(float x) {
    F16 y;
    for (F& part : y.part) part = F(x);
    return y;
  }
  LINNET_INLINE static F16 load(const float* p) {
    F16 x;
    for (int i = 0; i < kParts; ++i) x.part[i] = F::load(p + i * kLanes);
    return x;
  }
  /// The first n elements, 0 <= n < 16, and `fill` behind them.
  LINNET_INLINE static F16 load(const float* p, std::ptrdiff_t n, float fill = 0.0f) {
    F16 x;
    for (int i = 0; i < kParts; ++i, n -= kLanes, p += kLanes)
      x.part[i] = n >= kLanes ? F::load(p) : F::load(p, n > 0 ? n : 0, fill);
    return x;
  }
  LINNET_INLINE float sum() const { return folded<Add>(); }
  LINNET_INLINE float max() const { return folded<Max>(); }

 private:
  struct Add {
    template <class T>
    LINNET_INLINE static T of(T a, T b) {
      return a + b;
    }
  };
  struct Max {
    LINNET_INLINE static F of(F a, F b) { return m::max(a, b); }
    LINNET_INLINE static float of(float a, float b) { return a > b || a != a ? a : b; }
  };
  /// Lane i with lane i + 8, then 4, 2 and 1 apart.
  template <class Fold>
  LINNET_INLINE float folded() const {
    F16 x = *this;
    for (int step = kParts / 2; step > 0; step /= 2)
      for (int i = 0; i < step; ++i) x.part[i] = Fold::of(x.part[i], x.part[i + step]);
    float lanes[kLanes];
    x.part[0].store(lanes);
    return folded<Fold, kLanes / 2>(lanes);
  }
  template <class Fold, int kStep>
  LINNET_INLINE static float folded(float* lanes) {
    for (int i = 0; i < kStep; ++i) lanes[i] = Fold::of(lanes[i], lanes[i + kStep]);
    if constexpr (kStep > 1) return folded<Fold, kStep / 2>(lanes);
    return lanes[0];
  }
};

}  // namespace linnet::kernels::LINNET_ISA
