// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/ops/batch_statistics.h"

namespace linnet {
namespace {

/// A tensor [shape] of the type of x.
void check_shape(const char* op, const char* argument, const Tensor& t, const Shape& shape, const Tensor& x) {
  check_float(op, argument, t);
  check_same_dtype(op, "x", x, argument, t);
  check<ShapeError>(t.shape() == shape, op, ": x of shape ", x.shape(), " needs ", argument, " of shape ",
                    shape, ", got ", t.shape(), ". Channels are the last axis.");
}

void move_one(Tensor& running, const Tensor& batch, double factor, double momentum) {
  const double* from = batch.data<double>().data();
  dispatch_float("batch_norm", running.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (T& value : running.mutable_data<T>())
      value = static_cast<T>((1.0 - momentum) * static_cast<double>(value) + momentum * factor * *from++);
  });
}

Tensor as_f64_row(const Tensor& t) { return t.detach().to(f64).view({1, t.size()}).clone(); }

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

}  // namespace

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

void BatchStatistics::move(Tensor& running_mean, Tensor& running_var, double momentum) const {
  if (fixed) return;
  const double n = static_cast<double>(shape.rows);
  move_one(running_mean, moments.mean, 1.0, momentum);
  if (shape.rows > 1) move_one(running_var, moments.variance, n / (n - 1.0), momentum);
}

BatchStatistics batch_statistics(const Tensor& x, Tensor& running_mean, Tensor& running_var,
                                 const Tensor& weight, const Tensor& bias, const BatchNormParams& params,
                                 bool training) {
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
  kernels::Moments moments = fixed ? kernels::Moments{as_f64_row(running_mean), as_f64_row(running_var)}
                                   : kernels::moments(x, shape);
  kernels::Normalizer by = kernels::normalizer(moments, params.eps);
  return {shape, std::move(moments), std::move(by), fixed};
}

}  // namespace linnet
