// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind softmax.h, over `rows` rows of n elements each.

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

template <class T>
struct SoftmaxKernels {
  using Size = std::ptrdiff_t;
  void (*softmax)(const T* x, T* y, Size rows, Size n);
  void (*softmax_grad)(const T* y, const T* dy, T* dx, Size rows, Size n);
  void (*log_softmax)(const T* x, T* y, Size rows, Size n);
  void (*log_softmax_grad)(const T* y, const T* dy, T* dx, Size rows, Size n);
  /// z logits; p = softmax(z); loss[row] = -sum_c t_c log_softmax(z)_c, with t from labels or a soft target.
  void (*cross_entropy)(const T* z, const std::int64_t* label, T* p, T* loss, Size rows, Size n);
  void (*soft_cross_entropy)(const T* z, const T* t, T* p, T* loss, Size rows, Size n);
  /// dz = (p sum_c t_c - t) factor.
  void (*cross_entropy_grad)(const T* p, const std::int64_t* label, T* dz, Size rows, Size n, T factor);
  void (*soft_cross_entropy_grad)(const T* p, const T* t, T* dz, Size rows, Size n, T factor);
};
LINNET_DECLARE_TABLE(SoftmaxKernels<float>, softmax)

/// Plain loops; T is double or float.
template <class T>
const SoftmaxKernels<T>& naive_softmax();

}  // namespace linnet::kernels
