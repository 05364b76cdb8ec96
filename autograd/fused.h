// SPDX-License-Identifier: Apache-2.0
#pragma once
// Several ops in one pass over memory and one node of the tape. Values and gradients are those of the single
// ops, bit for bit in f32 where x is finite; while a module is being traced it is these that are recorded.

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

/// The arguments of batch_norm() besides x.
struct BatchNormInputs {
  Tensor &running_mean, &running_var;
  const Tensor &weight, &bias;
  BatchNormParams params;
  bool training;
};
/// conv2d(batch_norm_relu(x, ...), weight, bias, params): the normalised tensor is never kept and, where a
/// batch is worth it (core/kernels/norm_conv.cpp), made and used a few images at a time.
Tensor batch_norm_relu_conv2d(const Tensor& x, const BatchNormInputs& norm, const Tensor& weight,
                              const Tensor& bias = {}, const Conv2DParams& params = {});

}  // namespace linnet
