// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adam: steps scaled by running moments of the gradient (Kingma, Ba: "Adam: A Method for Stochastic
// Optimization", 2014).

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;         ///< in [0, 1)
  double beta2 = 0.999;       ///< in [0, 1)
  double eps = 1e-8;          ///< outside the root; above 0
  double weight_decay = 0.0;  ///< added to the gradient as weight_decay * w
};

///   g += decay w;   m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2;
///   w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// t counts the updates of each parameter. Remembers "m", "v", "beta1_power" and "beta2_power"; the powers
/// are running products, so that a resumed run has the same bits.
class Adam final : public Optimizer {
 public:
  explicit Adam(const NamedTensors& parameters, const AdamOptions& options = {});

 private:
  void update(Slot& slot, const Tensor& gradient) override;
  AdamOptions options_;
};

}  // namespace linnet::optim
