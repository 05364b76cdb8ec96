// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fused optimizer updates: one pass over a parameter and its state. f32 on the active instruction set, f64
// scalar.

#include "linnet/core/tensor.h"

namespace linnet::kernels {

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov;
  bool first;  ///< the velocity starts as the gradient
};
/// g += decay w;  v = momentum v + (1 - dampening) g (v = g at first);  w -= lr (nesterov ? g + momentum v :
/// v). `velocity` is undefined when momentum is 0.
void sgd_update(Tensor& parameter, const Tensor& gradient, Tensor& velocity, const SgdStep& step);

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;                   ///< AdamW: w -= lr decay w first, instead of g += decay w
  double correction1, correction2;  ///< 1 - beta1^t, 1 - beta2^t
};
/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= lr (m / correction1) / (sqrt(v / correction2) + eps).  m and v below 1e-30 in size become 0 in f32.
void adam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const AdamStep& step);

}  // namespace linnet::kernels
