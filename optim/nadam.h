// SPDX-License-Identifier: Apache-2.0
#pragma once
// NAdam: Adam with Nesterov's momentum (Dozat: "Incorporating Nesterov Momentum into Adam", 2016).

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct NAdamOptions {
  double lr = 2e-3;
  double beta1 = 0.9;            ///< in [0, 1)
  double beta2 = 0.999;          ///< in [0, 1)
  double eps = 1e-8;             ///< outside the root; above 0
  double weight_decay = 0.0;     ///< added to the gradient as weight_decay * w
  double momentum_decay = 4e-3;  ///< how fast mu_t grows towards beta1; not negative
  std::vector<ParameterGroup> groups = {};
};

///   g += decay w;   m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2;
///   mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2);   M_t = mu_1 mu_2 ... mu_t;
///   w -= lr (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// Remembers "m", "v", "mu_product" (M_t) and "beta2_power". As PyTorch documents it; the code of 1.13 has
/// mu_t twice in M_(t+1).
class NAdam final : public Optimizer {
 public:
  explicit NAdam(const NamedTensors& parameters, const NAdamOptions& options = {});

 private:
  static Setup setup(const NAdamOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  double mu(std::int64_t t) const;
  NAdamOptions options_;
};

}  // namespace linnet::optim
