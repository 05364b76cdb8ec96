// SPDX-License-Identifier: Apache-2.0
#pragma once
// Activations as layers: each is the op of the same name, elementwise and in any shape unless stated.

#include "linnet/nn/module.h"

namespace linnet::nn {

/// max(x, 0).
class ReLU : public Layer {
 public:
  std::string describe() const override { return "ReLU"; }
  Tensor forward(const Tensor& x) override;
};

/// x for x > 0, else slope x. ValueError unless the slope is finite.
class LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(double slope = 0.01);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double slope_;
};

/// 1 / (1 + e^-x).
class Sigmoid : public Layer {
 public:
  std::string describe() const override { return "Sigmoid"; }
  Tensor forward(const Tensor& x) override;
};

class Tanh : public Layer {
 public:
  std::string describe() const override { return "Tanh"; }
  Tensor forward(const Tensor& x) override;
};

/// e^x / sum e^x over one axis; negative axes count from the end.
/// For reading probabilities. Not before cross_entropy, which takes the logits themselves.
class Softmax : public Layer {
 public:
  explicit Softmax(int axis = -1) : axis_(axis) {}
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  int axis_;
};

}  // namespace linnet::nn
