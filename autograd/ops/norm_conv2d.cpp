// SPDX-License-Identifier: Apache-2.0
// conv2d(relu(batch_norm(x))), as one node that keeps x and weights.
#include "linnet/core/kernels/norm_conv.h"

#include "linnet/autograd/fused.h"
#include "linnet/autograd/ops/batch_statistics.h"
#include "linnet/autograd/ops/check_convolution.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/pool_vector.h"

namespace linnet {
namespace {

/// Inputs: x, weight, bias if there is one, then weight and bias of the normalisation from `affine` on.
struct NormConvRule {
  kernels::Normalizer by;
  Window window;
  std::int64_t groups;
  bool fixed, has_bias;
  Saved x, norm_weight, norm_bias, weight;

  void operator()(const Tensor& dy, Grads& grad) const {
    const int affine = has_bias ? 3 : 2;
    const kernels::NormalizedConvOptions wanted{.fixed_statistics = fixed,
                                                .want_x = grad.wanted(0),
                                                .want_affine = grad.wanted(affine) || grad.wanted(affine + 1),
                                                .want_weight = grad.wanted(1)};
    if (has_bias && grad.wanted(2)) grad.add(2, kernels::sum(dy, {0, 1, 2}));
    if (!wanted.want_x && !wanted.want_affine && !wanted.want_weight) return;
    const auto all =
        kernels::conv2d_grad({*x, by, *norm_weight, *norm_bias}, *weight, dy, window, groups, wanted);
    if (wanted.want_weight) grad.add(1, all.weight);
    if (grad.wanted(affine)) grad.add(affine, all.norm.weight);
    if (grad.wanted(affine + 1)) grad.add(affine + 1, all.norm.bias);
    if (wanted.want_x) grad.add(0, all.norm.x);
  }
};

}  // namespace

Tensor batch_norm_relu_conv2d(const Tensor& x, const BatchNormInputs& norm, const Tensor& weight,
                              const Tensor& bias, const Conv2DParams& params) {
  // With nothing below to train there is no pass over memory to save, and conv2d keeps less.
  const bool only_convolution = any_grad({&weight, &bias}) && !any_grad({&x, &norm.weight, &norm.bias});
  if (tape::recording() || only_convolution)
    return conv2d(batch_norm_relu(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.params,
                                  norm.training),
                  weight, bias, params);
  check_convolution("conv2d", x, weight, bias, params.groups);
  const Window window = make_window("conv2d", x.shape(), Pair(weight.dim(1), weight.dim(2)), params.stride,
                                    params.dilation, params.padding);
  const BatchStatistics own = batch_statistics(x, norm.running_mean, norm.running_var, norm.weight, norm.bias,
                                               norm.params, norm.training);
  Tensor y = kernels::conv2d({x, own.by, norm.weight, norm.bias}, weight, bias, window, params.groups);
  own.move(norm.running_mean, norm.running_var, norm.params.momentum);
  PoolVector<Tensor> inputs{x, weight};
  if (bias.defined()) inputs.push_back(bias);
  if (norm.weight.defined()) {
    inputs.push_back(norm.weight);
    inputs.push_back(norm.bias);
  }
  const bool keep = tape::wants_gradient(inputs), keep_affine = keep && norm.weight.defined();
  return record(
      Op::conv2d, y, std::span<const Tensor>(inputs),
      NormConvRule{own.by, window, params.groups, own.fixed, bias.defined(), saved(x, keep),
                   saved(norm.weight, keep_affine), saved(norm.bias, keep_affine), saved(weight, keep)});
}

}  // namespace linnet
