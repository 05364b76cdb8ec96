// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/optimizer_table.h"
#include "linnet/core/kernels/vec_loop.h"

namespace linnet::kernels::LINNET_ISA {

/// Decaying state of parameters that get no gradient would end in denormal numbers, which are slow.
LINNET_INLINE F tiny_to_zero(F x) { return m::where(m::abs(x) < F(1e-30f), F(0), x); }

#include "linnet/core/kernels/optimizer_rows.inl"

static void sgd(float* w, const float* g, float* v, std::ptrdiff_t n, const SgdFactors<float>& factors) {
  const SgdRow<F> row(factors);
  if (!v) {
    for_vectors(n, [=](std::ptrdiff_t i, auto at)
                       LINNET_INLINE_LAMBDA { at.store(row.plain(at.load(w + i), at.load(g + i)), w + i); });
    return;
  }
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F velocity = at.load(v + i);
    at.store(row.with_momentum(at.load(w + i), at.load(g + i), velocity), w + i);
    at.store(velocity, v + i);
  });
}

static void adam(float* w, const float* g, float* m, float* v, std::ptrdiff_t n,
                 const AdamFactors<float>& factors) {
  const AdamRow<F> row(factors);
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F first = at.load(m + i), second = at.load(v + i);
    at.store(row.update(at.load(w + i), at.load(g + i), first, second), w + i);
    at.store(first, m + i);
    at.store(second, v + i);
  });
}

constinit const OptimizerKernels<float> optimizer = {sgd, adam};

}  // namespace linnet::kernels::LINNET_ISA
