// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling layers over [N, H, W, C]. Without options: windows of 2x2 side by side.

#include "linnet/autograd/ops.h"
#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet::nn {

/// {.kernel = 2, .stride = the kernel, .padding = valid}
using Pool2DOptions = Pool2DParams;

/// Largest value of each window; padding never wins.
///   Shapes: x [N, H, W, C]  ->  [N, H', W', C],  H' = floor((H + top + bottom - kh) / stride) + 1.
class MaxPool2D : public Layer {
 public:
  /// ValueError for sizes below 1 or negative padding.
  explicit MaxPool2D(const Pool2DOptions& options = {});
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Pool2DOptions options_;
};

/// Mean over the valid part of each window: padding is not counted. Shapes as MaxPool2D.
class AvgPool2D : public Layer {
 public:
  explicit AvgPool2D(const Pool2DOptions& options = {});
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Pool2DOptions options_;
};

}  // namespace linnet::nn
