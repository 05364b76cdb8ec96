// SPDX-License-Identifier: Apache-2.0
#pragma once
// What batch_norm does before and after it normalises, alone and inside a fused op. Private to autograd.

#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/norm.h"

namespace linnet {

/// ValueError unless weight and bias are both there or both missing; ShapeError unless they have `shape`.
void check_affine(const char* op, const Tensor& weight, const Tensor& bias, const Shape& shape,
                  const Tensor& x);
/// x [N, ..., C] and eps above 0.
void check_channels(const char* op, const Tensor& x, double eps);

struct BatchStatistics {
  kernels::NormShape shape;
  kernels::Moments moments;
  kernels::Normalizer by;
  bool fixed;  ///< the running statistics

  /// running = (1 - momentum) running + momentum batch; nothing when they are fixed.
  void move(Tensor& running_mean, Tensor& running_var, double momentum) const;
};

/// Checks all arguments of batch_norm and takes the statistics of x.
BatchStatistics batch_statistics(const Tensor& x, Tensor& running_mean, Tensor& running_var,
                                 const Tensor& weight, const Tensor& bias, const BatchNormParams& params,
                                 bool training);

}  // namespace linnet
