// SPDX-License-Identifier: Apache-2.0
#pragma once
// SGD: gradient descent with momentum.

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct SgdOptions {
  double lr = 0.01;
  double momentum = 0.0;      ///< in [0, 1)
  double dampening = 0.0;     ///< in [0, 1)
  double weight_decay = 0.0;  ///< added to the gradient as weight_decay * w
  bool nesterov = false;      ///< needs momentum and no dampening
  std::vector<ParameterGroup> groups = {};
};

///   g += decay w;   v = momentum v + (1 - dampening) g  (v = g at first);   w -= lr (nesterov ? g + momentum
///   v : v)
///
/// Remembers "momentum" (v) when momentum is not 0.
class SGD final : public Optimizer {
 public:
  explicit SGD(const NamedTensors& parameters, const SgdOptions& options = {});

 private:
  static Setup setup(const SgdOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  SgdOptions options_;
};

}  // namespace linnet::optim
