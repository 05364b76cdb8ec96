// SPDX-License-Identifier: Apache-2.0
#pragma once
// Softmax and the losses that are fused with it.

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

/// Means over all elements, as scalars; prediction and target have one shape and type.
Tensor mse(const Tensor& prediction, const Tensor& target);
Tensor mae(const Tensor& prediction, const Tensor& target);
/// mean of max(z, 0) - z t + log(1 + e^-|z|).
Tensor bce_with_logits(const Tensor& logits, const Tensor& target);
/// Gradients with respect to the first argument (side 0) or the target (side 1); dy is a scalar.
Tensor mse_grad(int side, const Tensor& prediction, const Tensor& target, const Tensor& dy);
Tensor mae_grad(int side, const Tensor& prediction, const Tensor& target, const Tensor& dy);
Tensor bce_with_logits_grad(int side, const Tensor& logits, const Tensor& target, const Tensor& dy);

}  // namespace linnet::kernels
