// SPDX-License-Identifier: Apache-2.0
#pragma once
// Softmax and the losses that are fused with it. Elementwise losses: loss.h.

#include "linnet/core/tensor.h"

namespace linnet::kernels {

Tensor softmax(const Tensor& x, int axis);
Tensor softmax_grad(const Tensor& y, const Tensor& dy, int axis);  ///< y (dy - sum(y dy))
Tensor log_softmax(const Tensor& x, int axis);
Tensor log_softmax_grad(const Tensor& y, const Tensor& dy, int axis);  ///< dy - e^y sum(dy)

/// logits [R, C] and either labels [R] (i64, i32 or u8, already checked to be in 0..C-1) or soft labels
/// [R, C] (type of the logits). loss = sum over rows of -sum_c t_c log_softmax(z)_c / R, a scalar.
/// probabilities [R, C] = softmax(logits), kept for the gradient.
struct CrossEntropy {
  Tensor loss, probabilities;
};
CrossEntropy cross_entropy(const Tensor& logits, const Tensor& target);
/// (p sum_c t_c - t) * dy / R, with dy a scalar.
Tensor cross_entropy_grad(const Tensor& probabilities, const Tensor& target, const Tensor& dy);
/// First label outside 0..classes-1, or -1 when all are inside.
std::int64_t find_bad_label(const Tensor& labels, std::int64_t classes);

/// Focal loss of logits [R, C] and labels [R]: the mean of w_r u_r^gamma (-log p_r), with p_r the probability
/// of the label, u_r = 1 - p_r, and w_r = 1 when `weights` [R] is undefined. `factors` [R] is what
/// (p_rc - [c is the label]) is multiplied by in the gradient: w_r (u^gamma - gamma u^(gamma-1) p log p) / R.
struct FocalOfLabels {
  Tensor loss, probabilities, factors;
};
FocalOfLabels focal_of_labels(const Tensor& logits, const Tensor& labels, const Tensor& weights,
                              double gamma);
Tensor focal_of_labels_grad(const FocalOfLabels& result, const Tensor& labels, const Tensor& dy);

}  // namespace linnet::kernels
