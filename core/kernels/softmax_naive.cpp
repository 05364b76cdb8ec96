// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/scalar_math.h"
#include "linnet/core/kernels/softmax_table.h"

namespace linnet::kernels {
namespace scalar {
namespace {

using Size = std::ptrdiff_t;

template <class T>
T log_sum_exp(const T* z, Size n, T& top) {
  top = z[0];
  for (Size i = 1; i < n; ++i) top = m::max(top, z[i]);
  T sum = 0;
  for (Size i = 0; i < n; ++i) sum += std::exp(z[i] - top);
  return std::log(sum);
}

template <class T>
struct Naive {
  static void log_softmax(const T* x, T* y, Size rows, Size n) {
    for (; rows > 0; --rows, x += n, y += n) {
      T top;
      const T log_sum = log_sum_exp(x, n, top);
      for (Size i = 0; i < n; ++i) y[i] = x[i] - top - log_sum;
    }
  }
  static void softmax(const T* x, T* y, Size rows, Size n) {
    log_softmax(x, y, rows, n);
    for (Size i = 0; i < rows * n; ++i) y[i] = std::exp(y[i]);
  }
  static void softmax_grad(const T* y, const T* dy, T* dx, Size rows, Size n) {
    for (; rows > 0; --rows, y += n, dy += n, dx += n) {
      T dot = 0;
      for (Size i = 0; i < n; ++i) dot += y[i] * dy[i];
      for (Size i = 0; i < n; ++i) dx[i] = y[i] * (dy[i] - dot);
    }
  }
  static void log_softmax_grad(const T* y, const T* dy, T* dx, Size rows, Size n) {
    for (; rows > 0; --rows, y += n, dy += n, dx += n) {
      T total = 0;
      for (Size i = 0; i < n; ++i) total += dy[i];
      for (Size i = 0; i < n; ++i) dx[i] = dy[i] - std::exp(y[i]) * total;
    }
  }
  static void cross_entropy(const T* z, const std::int64_t* label, T* p, T* loss, Size rows, Size n) {
    softmax(z, p, rows, n);
    for (Size row = 0; row < rows; ++row, z += n) {
      T top;
      const T log_sum = log_sum_exp(z, n, top);
      loss[row] = log_sum - (z[label[row]] - top);
    }
  }
  static void soft_cross_entropy(const T* z, const T* t, T* p, T* loss, Size rows, Size n) {
    softmax(z, p, rows, n);
    for (Size row = 0; row < rows; ++row, z += n, t += n) {
      T top;
      const T log_sum = log_sum_exp(z, n, top);
      loss[row] = 0;
      for (Size i = 0; i < n; ++i)
        if (t[i] != 0) loss[row] += t[i] * (log_sum - (z[i] - top));
    }
  }
  static void cross_entropy_grad(const T* p, const std::int64_t* label, T* dz, Size rows, Size n, T factor) {
    for (Size row = 0; row < rows; ++row)
      for (Size i = 0; i < n; ++i)
        dz[row * n + i] = (p[row * n + i] - (i == label[row] ? T(1) : T(0))) * factor;
  }
  static void soft_cross_entropy_grad(const T* p, const T* t, T* dz, Size rows, Size n, T factor) {
    for (; rows > 0; --rows, p += n, t += n, dz += n) {
      T total = 0;
      for (Size i = 0; i < n; ++i) total += t[i];
      for (Size i = 0; i < n; ++i) dz[i] = (p[i] * total - t[i]) * factor;
    }
  }
};

}  // namespace
}  // namespace scalar

template <class T>
const SoftmaxKernels<T>& naive_softmax() {
  using N = scalar::Naive<T>;
  static constexpr SoftmaxKernels<T> table = {
      N::softmax,       N::softmax_grad,       N::log_softmax,        N::log_softmax_grad,
      N::cross_entropy, N::soft_cross_entropy, N::cross_entropy_grad, N::soft_cross_entropy_grad};
  return table;
}
template const SoftmaxKernels<float>& naive_softmax<float>();
template const SoftmaxKernels<double>& naive_softmax<double>();

}  // namespace linnet::kernels
