// SPDX-License-Identifier: Apache-2.0
// batch_norm, group_norm, layer_norm:  y = xhat weight + bias,  xhat = (x - mean) / sqrt(variance + eps).
// Backward computes xhat again from x and two numbers a channel, group or row; the formulas are in
// core/kernels/norm.h.
#include "linnet/core/kernels/norm.h"

#include "linnet/autograd/fused.h"
#include "linnet/autograd/ops/common.h"
#include "linnet/core/pool_vector.h"

namespace linnet {
namespace {

/// A tensor [shape] of the type of x.
void check_shape(const char* op, const char* argument, const Tensor& t, const Shape& shape, const Tensor& x) {
  check_float(op, argument, t);
  check_same_dtype(op, "x", x, argument, t);
  check<ShapeError>(t.shape() == shape, op, ": x of shape ", x.shape(), " needs ", argument, " of shape ",
                    shape, ", got ", t.shape(), ". Channels are the last axis.");
}

void check_affine(const char* op, const Tensor& weight, const Tensor& bias, const Shape& shape,
                  const Tensor& x) {
  check<ValueError>(weight.defined() == bias.defined(), op, ": got ", weight.defined() ? "weight" : "bias",
                    " alone. Give weight and bias, or neither.");
  if (!weight.defined()) return;
  check_shape(op, "weight", weight, shape, x);
  check_shape(op, "bias", bias, shape, x);
}

void check_channels(const char* op, const Tensor& x, double eps) {
  check_float(op, "x", x);
  check<ShapeError>(x.rank() >= 2 && x.dim(-1) >= 1, op,
                    ": x must have a batch axis and channels as its last axis, got shape ", x.shape(), ".");
  check<ValueError>(eps > 0.0, op, ": eps must be above 0, got ", eps, ".");
}

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

/// running = (1 - momentum) running + momentum batch.
void move(Tensor& running, const Tensor& batch, double factor, double momentum) {
  const double* from = batch.data<double>().data();
  dispatch_float("batch_norm", running.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (T& value : running.mutable_data<T>())
      value = static_cast<T>((1.0 - momentum) * static_cast<double>(value) + momentum * factor * *from++);
  });
}

void check_batch_norm(const Tensor& x, const Tensor& mean, const Tensor& variance, const Tensor& weight,
                      const Tensor& bias, const BatchNormParams& params) {
  check_channels("batch_norm", x, params.eps);
  check<ValueError>(params.momentum >= 0.0 && params.momentum <= 1.0,
                    "batch_norm: momentum must be in [0, 1], got ", params.momentum,
                    ". It is the share of the new batch.");
  const Shape channels{x.dim(-1)};
  check_shape("batch_norm", "running_mean", mean, channels, x);
  check_shape("batch_norm", "running_var", variance, channels, x);
  check_affine("batch_norm", weight, bias, channels, x);
}

Tensor as_f64_row(const Tensor& t) { return t.detach().to(f64).view({1, t.size()}).clone(); }

Tensor batch_norm(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormParams& params, bool training, bool relu) {
  check_batch_norm(x, running_mean, running_var, weight, bias, params);
  const std::int64_t channels = x.dim(-1);
  const kernels::NormShape shape{1, x.size() / channels, channels, channels};
  const bool fixed = !training || params.frozen;
  check<ShapeError>(fixed || shape.rows > 0, "batch_norm: no values to take statistics of: x has shape ",
                    x.shape(), ".");
  if (!fixed)  // both can be written to, or neither is moved
    dispatch_float("batch_norm", x.dtype(), [&](auto zero) {
      running_mean.mutable_data<decltype(zero)>();
      running_var.mutable_data<decltype(zero)>();
    });
  const kernels::Moments moments = fixed ? kernels::Moments{as_f64_row(running_mean), as_f64_row(running_var)}
                                         : kernels::moments(x, shape);
  const kernels::Normalizer by = kernels::normalizer(moments, params.eps);
  Tensor y = kernels::normalize(x, shape, by, weight, bias, relu);
  if (!fixed) {
    const double n = static_cast<double>(shape.rows);
    move(running_mean, moments.mean, 1.0, params.momentum);
    if (shape.rows > 1) move(running_var, moments.variance, n / (n - 1.0), params.momentum);
  }
  const bool affine = any_grad({&weight, &bias});
  const bool keep_x = affine || ((!fixed || relu) && needed_by(x));
  const bool keep_affine = weight.defined() && any_grad({&x, &weight, &bias});
  return record(
      Op::batch_norm, y, std::span<const Tensor>(with_affine({x, running_mean, running_var}, weight, bias)),
      [&] {
        return State{{"eps", params.eps}, {"momentum", params.momentum}, {"frozen", params.frozen ? 1 : 0}};
      },
      NormRule{shape, by, fixed, relu, keep_x, 3, saved(x, keep_x), saved(weight, keep_affine),
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
