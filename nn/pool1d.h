// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling over sequences [N, T, C]. Without options: windows of 2 side by side.

#include <optional>

#include "linnet/nn/module.h"
#include "linnet/nn/padding.h"

namespace linnet::nn {

struct Pool1DOptions {
  std::int64_t kernel = 2;
  std::optional<std::int64_t> stride = {};  ///< the kernel size when not given
  Padding1D padding = valid;
};

/// Largest value of each window; padding never wins.
///   Shapes: x [N, T, C]  ->  [N, T', C],  T' = floor((T + before + after - kernel) / stride) + 1.
class MaxPool1D : public Layer {
 public:
  /// ValueError for sizes below 1 or negative padding.
  explicit MaxPool1D(const Pool1DOptions& options = {});
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Pool1DOptions options_;
};

/// Mean over the valid part of each window: padding is not counted. Shapes as MaxPool1D.
class AvgPool1D : public Layer {
 public:
  explicit AvgPool1D(const Pool1DOptions& options = {});
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;

 private:
  Pool1DOptions options_;
};

}  // namespace linnet::nn
