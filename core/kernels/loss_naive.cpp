// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/loss_table.h"
#include "linnet/core/kernels/scalar_math.h"

namespace linnet::kernels {
namespace scalar {
namespace {

using Size = std::ptrdiff_t;

#include "linnet/core/kernels/loss_rows.inl"

template <class T, class Row>
T loss_sum(const T* a, const T* b, const T* w, Size n, T p) {
  T sum = 0;
  for (Size i = 0; i < n; ++i) {
    const T term = Row::value(a[i], b[i], p);
    sum += w ? weighted(w[i], term) : term;
  }
  return sum;
}

template <class T, class Row, int kSide>
void loss_grad(const T* a, const T* b, const T* w, T* dx, Size n, T p, T factor) {
  for (Size i = 0; i < n; ++i) {
    const T slope = Row::template slope<kSide>(a[i], b[i], p) * factor;
    dx[i] = w ? weighted(w[i], slope) : slope;
  }
}

}  // namespace
}  // namespace scalar

#define LINNET_SUM(Row) loss_sum<T, Row>
#define LINNET_GRAD_A(Row) loss_grad<T, Row, 0>
#define LINNET_GRAD_B(Row) loss_grad<T, Row, 1>
template <class T>
const LossKernels<T>& naive_loss() {
  using namespace scalar;
  static constexpr LossKernels<T> table = {
      {LINNET_LOSS_ROWS(LINNET_SUM)}, {{LINNET_LOSS_ROWS(LINNET_GRAD_A)}, {LINNET_LOSS_ROWS(LINNET_GRAD_B)}}};
  return table;
}
template const LossKernels<float>& naive_loss<float>();
template const LossKernels<double>& naive_loss<double>();

}  // namespace linnet::kernels
