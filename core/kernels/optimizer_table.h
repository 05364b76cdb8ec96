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
struct NAdamFactors {
  T beta1, rest1, beta2, rest2;
  T moment_step, gradient_step, scale2, eps, weight_decay;  ///< step = lr share
};
template <class T>
struct RmspropFactors {
  T lr, alpha, rest, eps, weight_decay, momentum;
};
template <class T>
struct AdagradFactors {
  T rate, eps, weight_decay;
};
template <class T>
struct LionFactors {
  T lr, beta1, rest1, beta2, rest2, kept;  ///< kept = 1 - lr decay
};

template <class T>
struct OptimizerKernels {
  /// v is null without momentum.
  void (*sgd)(T* w, const T* g, T* v, std::ptrdiff_t n, const SgdFactors<T>& f);
  /// v_max is null without AMSGrad.
  void (*adam)(T* w, const T* g, T* m, T* v, T* v_max, std::ptrdiff_t n, const AdamFactors<T>& f);
  void (*nadam)(T* w, const T* g, T* m, T* v, std::ptrdiff_t n, const NAdamFactors<T>& f);
  /// mean is null when not centered, velocity without momentum.
  void (*rmsprop)(T* w, const T* g, T* square, T* mean, T* velocity, std::ptrdiff_t n,
                  const RmspropFactors<T>& f);
  void (*adagrad)(T* w, const T* g, T* sum, std::ptrdiff_t n, const AdagradFactors<T>& f);
  void (*lion)(T* w, const T* g, T* m, std::ptrdiff_t n, const LionFactors<T>& f);
  void (*ema)(T* average, const T* w, std::ptrdiff_t n, T rest);
};
LINNET_DECLARE_TABLE(OptimizerKernels<float>, optimizer)

/// Plain loops; T is double or float.
template <class T>
const OptimizerKernels<T>& naive_optimizer();

}  // namespace linnet::kernels
