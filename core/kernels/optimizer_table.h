// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind optimizer.h. The step's numbers come prepared, each rounded once from double.

#include <cstddef>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

template <class T>
struct SgdFactors {
  T lr, momentum, gradient_share, weight_decay;  ///< gradient_share = 1 - dampening, or 1 at first
  bool nesterov;
};
template <class T>
struct AdamFactors {
  T beta1, rest1, beta2, rest2;  ///< rest = 1 - beta
  T step, scale2, eps;           ///< step = lr / correction1, scale2 = 1 / correction2
  T coupled, kept;               ///< decay added to the gradient; factor of the weight before the step
};

template <class T>
struct OptimizerKernels {
  /// v is null without momentum.
  void (*sgd)(T* w, const T* g, T* v, std::ptrdiff_t n, const SgdFactors<T>& f);
  void (*adam)(T* w, const T* g, T* m, T* v, std::ptrdiff_t n, const AdamFactors<T>& f);
};
LINNET_DECLARE_TABLE(OptimizerKernels<float>, optimizer)

/// Plain loops; T is double or float.
template <class T>
const OptimizerKernels<T>& naive_optimizer();

}  // namespace linnet::kernels
