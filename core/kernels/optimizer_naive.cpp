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
void adam(T* w, const T* g, T* m, T* v, std::ptrdiff_t n, const AdamFactors<T>& factors) {
  const AdamRow<T> row(factors);
  for (std::ptrdiff_t i = 0; i < n; ++i) w[i] = row.update(w[i], g[i], m[i], v[i]);
}

}  // namespace
}  // namespace scalar

template <class T>
const OptimizerKernels<T>& naive_optimizer() {
  static constexpr OptimizerKernels<T> table = {scalar::sgd<T>, scalar::adam<T>};
  return table;
}
template const OptimizerKernels<float>& naive_optimizer<float>();
template const OptimizerKernels<double>& naive_optimizer<double>();

}  // namespace linnet::kernels
