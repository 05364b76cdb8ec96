// SPDX-License-Identifier: Apache-2.0
#pragma once
// Losses with options. Plain ones are functions: cross_entropy, mse, mae, bce_with_logits (autograd/ops.h).

#include "linnet/core/tensor.h"

namespace linnet::nn {

struct CrossEntropyOptions {
  double label_smoothing = 0.0;  ///< in [0, 1): this share of every target is spread evenly over the classes
  Tensor class_weights = {};     ///< [C], not negative; 1 for every class when undefined
};

/// Cross-entropy of logits z [..., C] and labels [...] or soft labels [..., C], as a scalar:
///
///   L = -sum_rc w_c q_rc log_softmax(z)_rc / Z,   q = (1 - smoothing) target + smoothing / C,
///
/// Z = the sum of w over the labels, or the number of rows for soft labels. Without options it is
/// cross_entropy. No gradient flows to the target.
///
///   auto loss = nn::CrossEntropy({.label_smoothing = 0.1});   loss(model(x), y)
class CrossEntropy {
 public:
  /// ValueError for options outside their range, ShapeError unless the weights are a vector.
  explicit CrossEntropy(const CrossEntropyOptions& options = {});
  /// ShapeError and DTypeError when the arguments do not fit, ValueError for a label outside 0..C-1 and when
  /// all labels have weight 0.
  Tensor operator()(const Tensor& logits, const Tensor& target) const;

 private:
  Tensor soft_target(const Tensor& logits, const Tensor& target, double& divisor) const;
  double smoothing_;
  Tensor weights_;  ///< f64, or undefined
};

}  // namespace linnet::nn
