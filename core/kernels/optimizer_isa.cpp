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

static void adam(float* w, const float* g, float* m, float* v, float* v_max, std::ptrdiff_t n,
                 const AdamFactors<float>& factors) {
  const AdamRow<F> row(factors);
  if (v_max) {
    for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
      F first = at.load(m + i), second = at.load(v + i), largest = at.load(v_max + i);
      at.store(row.update(at.load(w + i), at.load(g + i), first, second, largest), w + i);
      at.store(first, m + i);
      at.store(second, v + i);
      at.store(largest, v_max + i);
    });
    return;
  }
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F first = at.load(m + i), second = at.load(v + i);
    at.store(row.update(at.load(w + i), at.load(g + i), first, second), w + i);
    at.store(first, m + i);
    at.store(second, v + i);
  });
}

static void nadam(float* w, const float* g, float* m, float* v, std::ptrdiff_t n,
                  const NAdamFactors<float>& factors) {
  const NAdamRow<F> row(factors);
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F first = at.load(m + i), second = at.load(v + i);
    at.store(row.update(at.load(w + i), at.load(g + i), first, second), w + i);
    at.store(first, m + i);
    at.store(second, v + i);
  });
}

template <bool centered, bool with_momentum>
static void rmsprop_rows(float* w, const float* g, float* square, float* mean, float* velocity,
                         std::ptrdiff_t n, const RmspropFactors<float>& factors) {
  const RmspropRow<F, centered, with_momentum> row(factors);
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F s = at.load(square + i), a(0), v(0);
    if constexpr (centered) a = at.load(mean + i);
    if constexpr (with_momentum) v = at.load(velocity + i);
    at.store(row.update(at.load(w + i), at.load(g + i), s, a, v), w + i);
    at.store(s, square + i);
    if constexpr (centered) at.store(a, mean + i);
    if constexpr (with_momentum) at.store(v, velocity + i);
  });
}

static void rmsprop(float* w, const float* g, float* square, float* mean, float* velocity, std::ptrdiff_t n,
                    const RmspropFactors<float>& factors) {
  if (mean && velocity) return rmsprop_rows<true, true>(w, g, square, mean, velocity, n, factors);
  if (mean) return rmsprop_rows<true, false>(w, g, square, mean, velocity, n, factors);
  if (velocity) return rmsprop_rows<false, true>(w, g, square, mean, velocity, n, factors);
  rmsprop_rows<false, false>(w, g, square, mean, velocity, n, factors);
}

static void adagrad(float* w, const float* g, float* sum, std::ptrdiff_t n,
                    const AdagradFactors<float>& factors) {
  const AdagradRow<F> row(factors);
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F s = at.load(sum + i);
    at.store(row.update(at.load(w + i), at.load(g + i), s), w + i);
    at.store(s, sum + i);
  });
}

static void lion(float* w, const float* g, float* m, std::ptrdiff_t n, const LionFactors<float>& factors) {
  const LionRow<F> row(factors);
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    F moment = at.load(m + i);
    at.store(row.update(at.load(w + i), at.load(g + i), moment), w + i);
    at.store(moment, m + i);
  });
}

static void ema(float* average, const float* w, std::ptrdiff_t n, float rest) {
  for_vectors(n, [=](std::ptrdiff_t i, auto at) LINNET_INLINE_LAMBDA {
    const F a = at.load(average + i);
    at.store(tiny_to_zero(a + F(rest) * (at.load(w + i) - a)), average + i);
  });
}

constinit const OptimizerKernels<float> optimizer = {sgd, adam, nadam, rmsprop, adagrad, lion, ema};

}  // namespace linnet::kernels::LINNET_ISA
