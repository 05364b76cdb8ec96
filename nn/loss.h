// SPDX-License-Identifier: Apache-2.0
#pragma once
// Losses with options and sample weights. Plain ones are functions: cross_entropy, mse, mae, huber,
// bce_with_logits, hinge, focal, kl_div, cosine_loss (autograd/ops.h).
//
//   auto loss = nn::CrossEntropy({.label_smoothing = 0.1});
//   loss(model(x), y);                       // or loss(model(x), y, sample_weights)
//
// Sample weights u have the shape of the first axes of the prediction: [N] weighs samples, [N, T] steps of
// sequences. They may not include the last axis of CrossEntropy, KLDiv, CosineLoss and FocalLoss with labels.
// The loss is the weighted mean of the terms,
//
//   L = sum_i u_i l_i / sum_i u_i,
//
// so that equal weights change nothing and a weight of 0 takes the sample out; with all weights 0 the loss is
// 0. An undefined tensor: no weights. No gradient flows to targets and weights. Errors: ShapeError when the
// weights fit no first axes, ValueError when one is negative or not finite.

#include <optional>

#include "linnet/core/tensor.h"

namespace linnet::nn {

struct CrossEntropyOptions {
  double label_smoothing = 0.0;  ///< in [0, 1): this share of every target is spread evenly over the classes
  Tensor class_weights = {};     ///< [C], not negative; 1 for every class when undefined
};

/// Cross-entropy of logits z [..., C] and labels [...] or soft labels [..., C], as a scalar:
///
///   L = -sum_rc u_r w_c q_rc log_softmax(z)_rc / Z,   q = (1 - smoothing) target + smoothing / C,
///
/// with sample weights u and class weights w. Z = the sum over rows of u w_label, or of u for soft labels
/// (PyTorch's mean). Without options and weights it is cross_entropy.
class CrossEntropy {
 public:
  /// ValueError for options outside their range, ShapeError unless the weights are a vector.
  explicit CrossEntropy(const CrossEntropyOptions& options = {});
  /// ShapeError and DTypeError when the arguments do not fit, ValueError for a label outside 0..C-1 and when
  /// all labels have class weight 0.
  Tensor operator()(const Tensor& logits, const Tensor& target) const;
  Tensor operator()(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const;

 private:
  double smoothing_;
  Tensor weights_;  ///< f64, or undefined
};

struct BCEWithLogitsOptions {
  double label_smoothing = 0.0;  ///< in [0, 1): targets move to (1 - smoothing) t + smoothing / 2
  Tensor pos_weight = {};        ///< [C] for the last axis, or one number; above 0; 1 when undefined
};

/// Binary cross-entropy of logits z and targets t in 0..1 of one shape, the mean over elements of
///   -(pos_weight t log p + (1 - t) log(1 - p)),  p = sigmoid(z).
/// Integer targets are converted.
class BCEWithLogits {
 public:
  explicit BCEWithLogits(const BCEWithLogitsOptions& options = {});
  Tensor operator()(const Tensor& logits, const Tensor& target) const;
  Tensor operator()(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const;

 private:
  double smoothing_;
  Tensor pos_weight_;  ///< f64, or undefined
};

struct FocalLossOptions {
  double gamma = 2.0;                ///< not negative; 0: cross-entropy
  std::optional<double> alpha = {};  ///< binary only: weight of a yes in 0..1, a no weighs 1 - alpha
  Tensor class_weights = {};         ///< labels only: [C], not negative
};

/// focal (autograd/ops.h has the formula) with its options; alpha and class weights do not enter the divisor.
///   Float targets of the shape of the logits: yes or no for each logit.
///   Labels [...] for logits [..., C]: one of C classes.
class FocalLoss {
 public:
  explicit FocalLoss(const FocalLossOptions& options = {});
  /// ValueError when alpha meets labels or class weights meet float targets.
  Tensor operator()(const Tensor& logits, const Tensor& target) const;
  Tensor operator()(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const;

 private:
  Tensor factors(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const;
  FocalLossOptions options_;
};

struct HuberOptions {
  double delta = 1.0;  ///< above 0: where the parabola ends and the straight line begins
};

/// The mean over elements of d^2 / 2 for d = |prediction - target| <= delta, else delta (d - delta / 2).
class Huber {
 public:
  explicit Huber(const HuberOptions& options = {});
  Tensor operator()(const Tensor& prediction, const Tensor& target) const;
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const;

 private:
  double delta_;
};

/// mse, for sample weights.
class MSE {
 public:
  Tensor operator()(const Tensor& prediction, const Tensor& target) const;
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const;
};

/// mae, for sample weights.
class MAE {
 public:
  Tensor operator()(const Tensor& prediction, const Tensor& target) const;
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const;
};

/// hinge, for sample weights.
class Hinge {
 public:
  Tensor operator()(const Tensor& prediction, const Tensor& target) const;
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const;
};

/// kl_div, for sample weights: the prediction is log-probabilities.
class KLDiv {
 public:
  Tensor operator()(const Tensor& log_probabilities, const Tensor& target) const;
  Tensor operator()(const Tensor& log_probabilities, const Tensor& target,
                    const Tensor& sample_weights) const;
};

/// cosine_loss, for sample weights.
class CosineLoss {
 public:
  Tensor operator()(const Tensor& prediction, const Tensor& target) const;
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const;
};

}  // namespace linnet::nn
