// SPDX-License-Identifier: Apache-2.0
#pragma once
// Flatten: from images to rows of features.

#include "linnet/nn/module.h"

namespace linnet::nn {

/// Shapes: x [N, ...]  ->  [N, product of the rest]; shares the contents of x.
class Flatten : public Layer {
 public:
  std::string describe() const override { return "Flatten"; }
  Tensor forward(const Tensor& x) override;
};

}  // namespace linnet::nn
