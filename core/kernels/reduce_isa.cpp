// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/reduce_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

static float sum(const float* x, std::ptrdiff_t n) {
  return sum_of(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA { return at.load(x + i); });
}

static float max(const float* x, std::ptrdiff_t n) { return max_of(x, n); }

struct Add {
  LINNET_INLINE static F of(F a, F b) { return a + b; }
};
struct Max {
  LINNET_INLINE static F of(F a, F b) { return m::max(a, b); }
};

/// kVectors neighbouring columns at a time, so that each cache line is read once.
template <class Fold, int kVectors, class At>
LINNET_INLINE void fold_columns(const float* x, float* y, std::ptrdiff_t rows, std::ptrdiff_t stride, At at) {
  F folded[kVectors];
  for (int v = 0; v < kVectors; ++v) folded[v] = at.load(x + v * kLanes);
  for (std::ptrdiff_t r = 1; r < rows; ++r) {
    x += stride;
    for (int v = 0; v < kVectors; ++v) folded[v] = Fold::of(folded[v], at.load(x + v * kLanes));
  }
  for (int v = 0; v < kVectors; ++v) at.store(folded[v], y + v * kLanes);
}

template <class Fold>
static void down(const float* x, float* y, std::ptrdiff_t rows, std::ptrdiff_t columns,
                 std::ptrdiff_t stride) {
  std::ptrdiff_t c = 0;
  for (; c + 4 * kLanes <= columns; c += 4 * kLanes)
    fold_columns<Fold, 4>(x + c, y + c, rows, stride, WholeVector{});
  for (; c + kLanes <= columns; c += kLanes) fold_columns<Fold, 1>(x + c, y + c, rows, stride, WholeVector{});
  if (c < columns) fold_columns<Fold, 1>(x + c, y + c, rows, stride, PartOfVector{columns - c});
}

constinit const ReduceKernels<float> reduce = {sum, max, down<Add>, down<Max>};

}  // namespace linnet::kernels::LINNET_ISA
