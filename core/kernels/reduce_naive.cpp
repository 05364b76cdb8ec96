// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/reduce_table.h"
#include "linnet/core/kernels/scalar_math.h"

namespace linnet::kernels {
namespace {

template <class T>
struct Naive {
  static T sum(const T* x, std::ptrdiff_t n) {
    T y = 0;
    for (std::ptrdiff_t i = 0; i < n; ++i) y += x[i];
    return y;
  }
  static T max(const T* x, std::ptrdiff_t n) {
    T y = x[0];
    for (std::ptrdiff_t i = 1; i < n; ++i) y = scalar::m::max(y, x[i]);
    return y;
  }
  static void sum_down(const T* x, T* y, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t stride) {
    for (std::ptrdiff_t c = 0; c < columns; ++c) {
      y[c] = 0;
      for (std::ptrdiff_t r = 0; r < rows; ++r) y[c] += x[r * stride + c];
    }
  }
  static void max_down(const T* x, T* y, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t stride) {
    for (std::ptrdiff_t c = 0; c < columns; ++c) {
      y[c] = x[c];
      for (std::ptrdiff_t r = 1; r < rows; ++r) y[c] = scalar::m::max(y[c], x[r * stride + c]);
    }
  }
};

}  // namespace

template <class T>
const ReduceKernels<T>& naive_reduce() {
  static constexpr ReduceKernels<T> table = {Naive<T>::sum, Naive<T>::max, Naive<T>::sum_down,
                                             Naive<T>::max_down};
  return table;
}
template const ReduceKernels<float>& naive_reduce<float>();
template const ReduceKernels<double>& naive_reduce<double>();

}  // namespace linnet::kernels
