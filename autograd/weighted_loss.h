// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the loss objects of nn/ are made of: the losses of ops.h with a weight for every term.

#include "linnet/core/op.h"
#include "linnet/core/tensor.h"

namespace linnet {

/// The mean over terms of weight times term, a scalar; `loss` is mse, mae, bce_with_logits, huber, hinge,
/// focal, kl_div or cosine_loss. A term is an element; for kl_div, cosine_loss and focal with integer labels
/// it is a row, [...] of a prediction [..., C]. `weights` has the shape of the terms and the type of the
/// prediction, or is undefined (all 1); no gradient flows to it, and a term of weight 0 counts nothing, even
/// when it is not finite. `parameter` is the delta of huber (> 0) or the gamma of focal
/// (>= 0); the others ignore it. Errors as the plain functions, ShapeError and DTypeError for the weights.
Tensor weighted_loss(Op loss, const Tensor& prediction, const Tensor& target, const Tensor& weights,
                     double parameter);

}  // namespace linnet
