// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adam and AdamW: steps scaled by running moments of the gradient (Kingma, Ba: "Adam: A Method for Stochastic
// Optimization", 2014; Loshchilov, Hutter: "Decoupled Weight Decay Regularization", 2017; Reddi, Kale, Kumar:
// "On the Convergence of Adam and Beyond", 2018, for AMSGrad).

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;         ///< in [0, 1)
  double beta2 = 0.999;       ///< in [0, 1)
  double eps = 1e-8;          ///< outside the root; above 0
  double weight_decay = 0.0;  ///< added to the gradient as weight_decay * w
  bool amsgrad = false;       ///< divide by the largest v so far
  std::vector<ParameterGroup> groups = {};
};

///   g += decay w;   m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2;
///   w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
/// With amsgrad v_max = max(v_max, v) takes the place of v in the second line.
///
/// t counts the updates of each parameter. Remembers "m", "v" (and "v_max"), "beta1_power" and "beta2_power";
/// the powers are running products, so that a resumed run has the same bits.
class Adam : public Optimizer {
 public:
  explicit Adam(const NamedTensors& parameters, const AdamOptions& options = {});

 protected:
  Adam(const char* name, const NamedTensors& parameters, const AdamOptions& options, bool decoupled);

 private:
  static Setup setup(const char* name, const AdamOptions& options);
  void update(Slot& slot, const Tensor& gradient) override;
  AdamOptions options_;
  bool decoupled_;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;          ///< in [0, 1)
  double beta2 = 0.999;        ///< in [0, 1)
  double eps = 1e-8;           ///< outside the root; above 0
  double weight_decay = 0.01;  ///< w -= lr weight_decay w
  bool amsgrad = false;        ///< divide by the largest v so far
  std::vector<ParameterGroup> groups = {};
};

/// Adam whose weight decay is a step of its own instead of a part of the gradient.
///   w -= lr decay w;   then Adam's formulas without decay.
class AdamW final : public Adam {
 public:
  explicit AdamW(const NamedTensors& parameters, const AdamWOptions& options = {});
};

}  // namespace linnet::optim
