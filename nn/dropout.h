// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dropout: training noise against overfitting.

#include "linnet/nn/module.h"

namespace linnet::nn {

/// In training each element is 0 with probability p, else x / (1 - p), by one call number of the generator;
/// in eval x itself. Any shape. ValueError unless 0 <= p < 1.
class Dropout : public Layer {
 public:
  explicit Dropout(double p = 0.5);
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

}  // namespace linnet::nn
