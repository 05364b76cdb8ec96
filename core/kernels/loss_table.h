// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind loss.h.

#include <cstddef>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

/// The rows of loss_rows.inl, in this order everywhere.
enum class Loss { mse, mae, bce, huber, hinge, focal, kl };
inline constexpr int kLosses = 7;

/// Losses of two tensors of one shape: the weighted sum of a term per element, and the derivative of that
/// term. w is null when all weights are 1; a term of weight 0 counts nothing, even when it is not finite.
template <class T>
struct LossKernels {
  using Size = std::ptrdiff_t;
  using Sum = T(const T* a, const T* b, const T* w, Size n, T parameter);
  /// dx = factor w dterm.
  using Grad = void(const T* a, const T* b, const T* w, T* dx, Size n, T parameter, T factor);
  Sum* sum[kLosses];
  Grad* grad[2][kLosses];  ///< with respect to a, to b
};
LINNET_DECLARE_TABLE(LossKernels<float>, losses)

/// Plain loops; T is double or float.
template <class T>
const LossKernels<T>& naive_loss();

}  // namespace linnet::kernels
