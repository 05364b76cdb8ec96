// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two ops in one pass over memory and one node of the tape. Values and gradients are those of the two ops,
// bit for bit in f32 where x is finite; while a module is being traced it is the two ops that are recorded.

#include "linnet/autograd/ops.h"

namespace linnet {

/// relu(dense(x, weight, bias)).
Tensor dense_relu(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// relu(conv2d(x, weight, bias, params)).
Tensor conv2d_relu(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                   const Conv2DParams& params = {});
/// relu(batch_norm(...)).
Tensor batch_norm_relu(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                       const Tensor& bias, const BatchNormParams& params, bool training);

}  // namespace linnet
