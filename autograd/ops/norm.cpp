// SPDX-License-Identifier: Apache-2.0
// batch_norm, group_norm, layer_norm:  y = xhat weight + bias,  xhat = (x - mean) / sqrt(variance + eps).
// Backward computes xhat again from x and two numbers a channel, group or row; the formulas are in
// core/kernels/norm.h.
#include "linnet/core/kernels/norm.h"

#include "linnet/autograd/fused.h"
#include "linnet/autograd/ops/batch_statistics.h"
#include "linnet/core/pool_vector.h"

namespace linnet {
namespace {

/// The inputs of a node: x and what follows, with weight and bias only if they are there.
PoolVector<Tensor> with_affine(PoolVector<Tensor> inputs, const Tensor& weight, const Tensor& bias) {
  if (weight.defined()) {
    inputs.push_back(weight);
    inputs.push_back(bias);
  }
  return inputs;
}

/// Gradients of x (input 0), weight and bias (the two inputs from `first` on).
struct NormRule {
  kernels::NormShape shape;
  kernels::Normalizer by;
  bool fixed, relu, keeps_x;
  int first;
  Saved x, weight, bias;

  bool repeats() const { return keeps_x; }
  Tensor result() const { return kernels::normalize(*x, shape, by, *weight, *bias, relu); }

  void operator()(const Tensor& dy, Grads& grad) const {
    const bool affine = grad.wanted(first) || grad.wanted(first + 1);
    if (!affine && !grad.wanted(0)) return;  // only the running statistics asked, which have no gradient
    const auto all = kernels::normalize_grad(*x, dy, shape, by, relu || grad.wanted(0) ? *weight : Tensor(),
                                             relu ? *bias : Tensor(),
                                             {.fixed_statistics = fixed,
                                              .relu = relu,
                                              .want_x = grad.wanted(0),
                                              .want_parameters = affine,
                                              .into = in_place_of(dy)});
    if (grad.wanted(0)) grad.add(0, all.x);
    if (grad.wanted(first)) grad.add(first, all.weight);
    if (grad.wanted(first + 1)) grad.add(first + 1, all.bias);
  }
};

Tensor batch_norm(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormParams& params, bool training, bool relu) {
  const BatchStatistics own = batch_statistics(x, running_mean, running_var, weight, bias, params, training);
  Tensor y = kernels::normalize(x, own.shape, own.by, weight, bias, relu);
  own.move(running_mean, running_var, params.momentum);
  const bool affine = any_grad({&weight, &bias});
  const bool keep_x = affine || ((!own.fixed || relu) && needed_by(x));
  const bool keep_affine = weight.defined() && any_grad({&x, &weight, &bias});
  return record(
      Op::batch_norm, y, std::span<const Tensor>(with_affine({x, running_mean, running_var}, weight, bias)),
      [&] {
        return State{{"eps", params.eps}, {"momentum", params.momentum}, {"frozen", params.frozen ? 1 : 0}};
      },
      NormRule{own.shape, own.by, own.fixed, relu, keep_x, 3, saved(x, keep_x), saved(weight, keep_affine),
               saved(bias, keep_affine)});
}

}  // namespace

Tensor batch_norm(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormParams& params, bool training) {
  return batch_norm(x, running_mean, running_var, weight, bias, params, training, false);
}

Tensor batch_norm_relu(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                       const Tensor& bias, const BatchNormParams& params, bool training) {
  if (tape::recording())
    return relu(batch_norm(x, running_mean, running_var, weight, bias, params, training));
  return batch_norm(x, running_mean, running_var, weight, bias, params, training, true);
}

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias,
                  double eps) {
  check_channels("group_norm", x, eps);
  const std::int64_t channels = x.dim(-1);
  check<ShapeError>(groups >= 1 && channels % groups == 0, "group_norm: ", groups,
                    " groups do not divide the ", channels, " channels of x ", x.shape(), ".");
  check_affine("group_norm", weight, bias, {channels}, x);
  const kernels::NormShape shape{x.dim(0), x.shape().product(1, x.rank() - 1), channels, groups};
  const kernels::Normalizer by = kernels::normalizer(kernels::moments(x, shape), eps);
  Tensor y = kernels::normalize(x, shape, by, weight, bias);
  const bool keep = any_grad({&x, &weight, &bias});
  return record(
      Op::group_norm, y, std::span<const Tensor>(with_affine({x}, weight, bias)),
      [=] {
        return State{{"groups", groups}, {"eps", eps}};
      },
      NormRule{shape, by, false, false, keep, 1, saved(x, keep), saved(weight, keep && weight.defined()),
               saved(bias, keep && bias.defined())});
}

Tensor layer_norm(const Tensor& x, int axes, const Tensor& weight, const Tensor& bias, double eps) {
  check_float("layer_norm", "x", x);
  check<ShapeError>(axes >= 1 && axes <= x.rank(), "layer_norm: expected 1 to ", x.rank(),
                    " axes for x of shape ", x.shape(), ", got ", axes, ".");
  check<ValueError>(eps >= 1e-30, "layer_norm: eps must be at least 1e-30, got ", eps, ".");
  Shape normalized = x.shape();
  while (normalized.rank() > axes) normalized = normalized.without(0);
  check_affine("layer_norm", weight, bias, normalized, x);
  const std::int64_t n = normalized.size();
  const kernels::RowNorm result = kernels::layer_norm(x, n, weight, bias, eps);
  const bool keep = any_grad({&x, &weight, &bias});
  return record(
      Op::layer_norm, result.y, std::span<const Tensor>(with_affine({x}, weight, bias)),
      [=] {
        return State{{"axes", axes}, {"eps", eps}};
      },
      [=, x = saved(x, keep), weight = saved(weight, weight.defined() && needed_by(x)), kept = result.kept](
          const Tensor& dy, Grads& grad) {
        if (grad.wanted(0)) grad.add(0, kernels::layer_norm_grad(*x, dy, n, *weight, kept));
        if (!grad.wanted(1) && !grad.wanted(2)) return;
        const auto affine = kernels::layer_norm_grad_weight(*x, dy, n, kept);
        if (grad.wanted(1)) grad.add(1, affine.weight.view(normalized));
        if (grad.wanted(2)) grad.add(2, affine.bias.view(normalized));
      });
}

}  // namespace linnet
