// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/recurrent_table.h"
#include "linnet/core/kernels/scalar_math.h"

#define LINNET_INLINE_LAMBDA

namespace linnet::kernels {
namespace scalar {
namespace {

template <class T>
T madd(T a, T b, T c) {
  return a * b + c;
}

struct OneElement {
  template <class T>
  T load(const T* p) const {
    return *p;
  }
  template <class T>
  void store(T x, T* p) const {
    *p = x;
  }
};

template <class Body>
void for_vectors(std::ptrdiff_t n, Body body) {
  for (std::ptrdiff_t i = 0; i < n; ++i) body(i, OneElement{});
}

#include "linnet/core/kernels/recurrent_steps.inl"

}  // namespace
}  // namespace scalar

template <class T>
const RecurrentKernels<T>& naive_recurrent() {
  static constexpr RecurrentKernels<T> table = scalar::RecurrentSteps<T, T>::table();
  return table;
}
template const RecurrentKernels<float>& naive_recurrent<float>();
template const RecurrentKernels<double>& naive_recurrent<double>();

}  // namespace linnet::kernels
