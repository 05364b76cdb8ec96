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

/// x limited to [0, 6].
class ReLU6 : public Layer {
 public:
  std::string describe() const override { return "ReLU6"; }
  Tensor forward(const Tensor& x) override;
};

/// x relu6(x + 3) / 6.
class HardSwish : public Layer {
 public:
  std::string describe() const override { return "HardSwish"; }
  Tensor forward(const Tensor& x) override;
};

/// x sigmoid(x), also called swish.
class SiLU : public Layer {
 public:
  std::string describe() const override { return "SiLU"; }
  Tensor forward(const Tensor& x) override;
};

/// x Phi(x) with the error function itself, not the formula with tanh.
class GELU : public Layer {
 public:
  std::string describe() const override { return "GELU"; }
  Tensor forward(const Tensor& x) override;
};

/// log(1 + e^x), without overflow.
class Softplus : public Layer {
 public:
  std::string describe() const override { return "Softplus"; }
  Tensor forward(const Tensor& x) override;
};

/// x for x > 0, else alpha (e^x - 1). ValueError unless alpha is finite.
class ELU : public Layer {
 public:
  explicit ELU(double alpha = 1.0);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double alpha_;
};

/// x for x > 0, else weight x, with one learned slope for each channel, or one for all.
///   Shapes: x [..., channels], in any shape when channels is 1.
/// ValueError for fewer than one channel or a start that is not finite; ShapeError for other channels.
class PReLU : public Layer {
 public:
  explicit PReLU(std::int64_t channels = 1, double start = 0.25);

  Tensor weight;  ///< [channels]

  void members(Members& m) override { m.parameter("weight", weight); }
  std::string describe() const override;
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
