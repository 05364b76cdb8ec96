// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adagrad: the gradient over the root of the sum of its squares (Duchi, Hazan, Singer: "Adaptive Subgradient
// Methods for Online Learning and Stochastic Optimization", 2011).

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct AdagradOptions {
  double lr = 0.01;
  double lr_decay = 0.0;      ///< not negative
  double eps = 1e-10;         ///< outside the root; above 0
  double weight_decay = 0.0;  ///< added to the gradient as weight_decay * w
  double initial = 0.0;       ///< what the sum starts with; not negative
  std::vector<ParameterGroup> groups = {};
};

///   g += decay w;   s += g^2  (from `initial`);   w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
///
/// t counts the updates of each parameter. Remembers "sum" (s).
class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const NamedTensors& parameters, const AdagradOptions& options = {});

 private:
  static Setup setup(const AdagradOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  AdagradOptions options_;
};

}  // namespace linnet::optim
