// SPDX-License-Identifier: Apache-2.0
#pragma once
// RMSprop: the gradient over the root of its mean square (Tieleman, Hinton: Lecture 6.5 of "Neural Networks
// for Machine Learning", 2012).

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct RMSpropOptions {
  double lr = 0.01;
  double alpha = 0.99;        ///< in [0, 1)
  double eps = 1e-8;          ///< outside the root; above 0
  double weight_decay = 0.0;  ///< added to the gradient as weight_decay * w
  double momentum = 0.0;      ///< in [0, 1)
  bool centered = false;      ///< by the variance instead of the mean square
  std::vector<ParameterGroup> groups = {};
};

///   g += decay w;   s = alpha s + (1 - alpha) g^2;   a = alpha a + (1 - alpha) g   (centered, else a = 0)
///   v = momentum v + g / (sqrt(max(s - a^2, 0)) + eps);   w -= lr v
///
/// Remembers "square" (s), "mean" (a) when centered, and "momentum" (v) when momentum is not 0.
class RMSprop final : public Optimizer {
 public:
  explicit RMSprop(const NamedTensors& parameters, const RMSpropOptions& options = {});

 private:
  static Setup setup(const RMSpropOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  RMSpropOptions options_;
};

}  // namespace linnet::optim
