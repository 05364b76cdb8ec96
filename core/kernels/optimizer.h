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
/// w -= lr (m / correction1) / (sqrt(v / correction2) + eps).  m and v below 1e-30 in size become 0 in f32,
/// as all that decays below does.  With v_max (AMSGrad), v_max = max(v_max, v) is under the root.
void adam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const AdamStep& step,
                 Tensor* v_max = nullptr);

struct NAdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double moment_share, gradient_share, correction2;
};
/// g += decay w;  m and v as Adam's;
/// w -= lr (moment_share m + gradient_share g) / (sqrt(v / correction2) + eps).
void nadam_update(Tensor& parameter, const Tensor& gradient, Tensor& m, Tensor& v, const NAdamStep& step);

struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
};
/// g += decay w;  square = alpha square + (1 - alpha) g^2;  mean = alpha mean + (1 - alpha) g;
/// velocity = momentum velocity + g / (sqrt(max(square - mean^2, 0)) + eps);  w -= lr velocity.
/// Without `mean` it is 0, without `velocity` momentum is.
void rmsprop_update(Tensor& parameter, const Tensor& gradient, Tensor& square, Tensor* mean, Tensor* velocity,
                    const RmspropStep& step);

struct AdagradStep {
  double rate, eps, weight_decay;
};
/// g += decay w;  sum += g^2;  w -= rate g / (sqrt(sum) + eps).
void adagrad_update(Tensor& parameter, const Tensor& gradient, Tensor& sum, const AdagradStep& step);

struct LionStep {
  double lr, beta1, beta2, weight_decay;
};
/// c = beta1 m + (1 - beta1) g;  w = (1 - lr decay) w - lr sign(c);  m = beta2 m + (1 - beta2) g.
void lion_update(Tensor& parameter, const Tensor& gradient, Tensor& m, const LionStep& step);

/// average += (1 - decay) (w - average); what it decays to below 1e-30 becomes 0 in f32.
void ema_update(Tensor& average, const Tensor& parameter, double decay);

}  // namespace linnet::kernels
