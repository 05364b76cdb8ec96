// SPDX-License-Identifier: Apache-2.0
#pragma once
// Losses of a prediction a and a target b of one shape and float type, as scalars. Arguments are checked by
// the callers in autograd.

#include "linnet/core/kernels/loss_table.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

struct LossTerms {
  Tensor weights = {};     ///< like a; undefined: all 1
  double parameter = 0.0;  ///< delta of huber, gamma of focal
  double divisor = 0.0;    ///< 0: the number of elements
};

/// sum_i w_i term(a_i, b_i) / divisor. The terms are the rows of loss_rows.inl.
Tensor elementwise_loss(Loss loss, const Tensor& a, const Tensor& b, const LossTerms& terms = {});
/// The gradient with respect to a (side 0) or b (side 1); dy is a scalar.
Tensor elementwise_loss_grad(Loss loss, int side, const Tensor& a, const Tensor& b, const LossTerms& terms,
                             const Tensor& dy);

/// The mean over rows (the last axis) of w (1 - a.b / (|a| |b|)), summed in f64; `weights` are one for each
/// row, of the type of a, or undefined (all 1). A row shorter than 1e-8 has similarity 0 and passes no
/// gradient; a row of weight 0 counts nothing, even when it is not finite.
Tensor cosine_loss(const Tensor& a, const Tensor& b, const Tensor& weights = {});
/// With respect to a; the loss is symmetric.
Tensor cosine_loss_grad(const Tensor& a, const Tensor& b, const Tensor& weights, const Tensor& dy);

}  // namespace linnet::kernels
