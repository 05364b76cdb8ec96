// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling over everything between batch and channels: from a map of any size to one row of features.

#include "linnet/nn/module.h"

namespace linnet::nn {

/// Mean of each channel. Shapes: x [N, T, C]  ->  [N, C]. ShapeError for another rank or an empty map.
class GlobalAvgPool1D : public Layer {
 public:
  std::string describe() const override { return "GlobalAvgPool1D"; }
  Tensor forward(const Tensor& x) override;
};

/// Mean of each channel. Shapes: x [N, H, W, C]  ->  [N, C]. ShapeError for another rank or an empty map.
class GlobalAvgPool2D : public Layer {
 public:
  std::string describe() const override { return "GlobalAvgPool2D"; }
  Tensor forward(const Tensor& x) override;
};

/// Largest value of each channel; equal ones share the gradient evenly. Shapes: x [N, T, C]  ->  [N, C].
/// ShapeError for another rank or an empty map.
class GlobalMaxPool1D : public Layer {
 public:
  std::string describe() const override { return "GlobalMaxPool1D"; }
  Tensor forward(const Tensor& x) override;
};

/// Largest value of each channel; equal ones share the gradient evenly. Shapes: x [N, H, W, C]  ->  [N, C].
/// ShapeError for another rank or an empty map.
class GlobalMaxPool2D : public Layer {
 public:
  std::string describe() const override { return "GlobalMaxPool2D"; }
  Tensor forward(const Tensor& x) override;
};

}  // namespace linnet::nn
