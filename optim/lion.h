// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lion: steps of one size, by the sign of a moment (Chen et al.: "Symbolic Discovery of Optimization
// Algorithms", 2023, Algorithm 2). Its learning rate is about a tenth of Adam's, its decay ten times as much.

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;         ///< in [0, 1)
  double beta2 = 0.99;        ///< in [0, 1)
  double weight_decay = 0.0;  ///< w -= lr weight_decay w
  std::vector<ParameterGroup> groups = {};
};

///   c = beta1 m + (1 - beta1) g;   w -= lr (sign(c) + decay w);   m = beta2 m + (1 - beta2) g
///
/// Remembers "m".
class Lion final : public Optimizer {
 public:
  explicit Lion(const NamedTensors& parameters, const LionOptions& options = {});

 private:
  static Setup setup(const LionOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  LionOptions options_;
};

}  // namespace linnet::optim
