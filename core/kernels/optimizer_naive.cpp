// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/optimizer_table.h"
#include "linnet/core/kernels/scalar_math.h"

namespace linnet::kernels {
namespace scalar {
namespace {

double tiny_to_zero(double x) { return x; }
float tiny_to_zero(float x) { return std::fabs(x) < 1e-30f ? 0.0f : x; }

#include "linnet/core/kernels/optimizer_rows.inl"

template <class T>
void sgd(T* w, const T* g, T* v, std::ptrdiff_t n, const SgdFactors<T>& factors) {
  const SgdRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    w[i] = v ? row.with_momentum(w[i], g[i], v[i]) : row.plain(w[i], g[i]);
}

template <class T>
void adam(T* w, const T* g, T* m, T* v, T* v_max, std::ptrdiff_t n, const AdamFactors<T>& factors) {
  const AdamRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    w[i] = v_max ? row.update(w[i], g[i], m[i], v[i], v_max[i]) : row.update(w[i], g[i], m[i], v[i]);
}

template <class T>
void nadam(T* w, const T* g, T* m, T* v, std::ptrdiff_t n, const NAdamFactors<T>& factors) {
  const NAdamRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i) w[i] = row.update(w[i], g[i], m[i], v[i]);
}

template <bool centered, bool with_momentum, class T>
void rmsprop_rows(T* w, const T* g, T* square, T* mean, T* velocity, std::ptrdiff_t n,
                  const RmspropFactors<T>& factors) {
  const RmspropRow<T, centered, with_momentum> row(factors);
  T none{};
  for (std::ptrdiff_t i = 0; i < n; ++i)
    w[i] = row.update(w[i], g[i], square[i], mean ? mean[i] : none, velocity ? velocity[i] : none);
}

template <class T>
void rmsprop(T* w, const T* g, T* square, T* mean, T* velocity, std::ptrdiff_t n,
             const RmspropFactors<T>& factors) {
  if (mean && velocity) return rmsprop_rows<true, true>(w, g, square, mean, velocity, n, factors);
  if (mean) return rmsprop_rows<true, false>(w, g, square, mean, velocity, n, factors);
  if (velocity) return rmsprop_rows<false, true>(w, g, square, mean, velocity, n, factors);
  rmsprop_rows<false, false>(w, g, square, mean, velocity, n, factors);
}

template <class T>
void adagrad(T* w, const T* g, T* sum, std::ptrdiff_t n, const AdagradFactors<T>& factors) {
  const AdagradRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i) w[i] = row.update(w[i], g[i], sum[i]);
}

template <class T>
void lion(T* w, const T* g, T* m, std::ptrdiff_t n, const LionFactors<T>& factors) {
  const LionRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i) w[i] = row.update(w[i], g[i], m[i]);
}

template <class T>
void ema(T* average, const T* w, std::ptrdiff_t n, T rest) {
  for (std::ptrdiff_t i = 0; i < n; ++i) average[i] = tiny_to_zero(average[i] + rest * (w[i] - average[i]));
}

}  // namespace
}  // namespace scalar

template <class T>
const OptimizerKernels<T>& naive_optimizer() {
  static constexpr OptimizerKernels<T> table = {scalar::sgd<T>,     scalar::adam<T>,    scalar::nadam<T>,
                                                scalar::rmsprop<T>, scalar::adagrad<T>, scalar::lion<T>,
                                                scalar::ema<T>};
  return table;
}
template const OptimizerKernels<float>& naive_optimizer<float>();
template const OptimizerKernels<double>& naive_optimizer<double>();

}  // namespace linnet::kernels
