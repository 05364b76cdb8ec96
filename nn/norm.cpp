// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/norm.h"

namespace linnet::nn {
namespace {

void check_eps(const char* layer, double eps) {
  check<ValueError>(eps > 0.0, layer, ": eps must be above 0, got ", eps, ".");
}

void start(Tensor& weight, Tensor& bias, const Shape& shape) {
  weight = Tensor::ones(shape).set_requires_grad(true);
  bias = Tensor::zeros(shape).set_requires_grad(true);
}

const char* affine_text(const Tensor& weight) { return weight.defined() ? "" : ", no weight and bias"; }

}  // namespace

BatchNorm::BatchNorm(std::int64_t channels, const BatchNormOptions& options)
    : eps_(options.eps), momentum_(options.momentum), frozen_(options.frozen) {
  check<ValueError>(channels >= 1, "BatchNorm: channels must be at least 1, got ", channels, ".");
  check_eps("BatchNorm", options.eps);
  check<ValueError>(options.momentum >= 0.0 && options.momentum <= 1.0,
                    "BatchNorm: momentum must be in [0, 1], got ", options.momentum,
                    ". It is the share of the new batch.");
  if (options.affine) start(weight, bias, {channels});
  running_mean = Tensor::zeros({channels});
  running_var = Tensor::ones({channels});
}

void BatchNorm::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
  m.buffer("running_mean", running_mean);
  m.buffer("running_var", running_var);
}

std::string BatchNorm::describe() const {
  return concat({"BatchNorm ", running_mean.size(), frozen_ ? ", frozen" : "", affine_text(weight)});
}

Tensor BatchNorm::forward(const Tensor& x) {
  return batch_norm(x, running_mean, running_var, weight, bias, params(), training());
}

Tensor BatchNorm::forward_relu(const Tensor& x) {
  return batch_norm_relu(x, running_mean, running_var, weight, bias, params(), training());
}

void BatchNorm::freeze_buffer(const Tensor& buffer, bool on) {
  if (buffer.same_as(running_mean)) frozen_ = on;
}

BatchNormInputs BatchNorm::inputs() {
  return {running_mean, running_var, weight, bias, params(), training()};
}

LayerNorm::LayerNorm(const Shape& shape, const NormOptions& options) : shape_(shape), eps_(options.eps) {
  check<ValueError>(shape.rank() >= 1 && shape.size() >= 1,
                    "LayerNorm: the shape must have sizes of at least 1, got ", shape, ".");
  check_eps("LayerNorm", options.eps);
  if (options.affine) start(weight, bias, shape);
}

void LayerNorm::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string LayerNorm::describe() const { return concat({"LayerNorm ", shape_, affine_text(weight)}); }

Tensor LayerNorm::forward(const Tensor& x) {
  check<ValueError>(x.defined(), "LayerNorm: x is undefined.");
  bool fits = x.rank() >= shape_.rank();
  for (int i = 1; fits && i <= shape_.rank(); ++i) fits = x.dim(-i) == shape_.dim(-i);
  check<ShapeError>(fits, "LayerNorm: the last axes of x must be ", shape_, ", got shape ", x.shape(), ".");
  return layer_norm(x, shape_.rank(), weight, bias, eps_);
}

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const NormOptions& options)
    : groups_(groups), channels_(channels), eps_(options.eps) {
  check<ValueError>(groups >= 1 && channels >= 1 && channels % groups == 0, "GroupNorm: ", groups,
                    " groups do not divide ", channels, " channels.");
  check_eps("GroupNorm", options.eps);
  if (options.affine) start(weight, bias, {channels});
}

void GroupNorm::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string GroupNorm::describe() const {
  return concat({"GroupNorm ", channels_, ", groups ", groups_, affine_text(weight)});
}

Tensor GroupNorm::forward(const Tensor& x) {
  check<ValueError>(x.defined(), "GroupNorm: x is undefined.");
  check<ShapeError>(x.rank() >= 2 && x.dim(-1) == channels_, "GroupNorm: x must be [N, ..., ", channels_,
                    "], got shape ", x.shape(), ".");
  return group_norm(x, groups_, weight, bias, eps_);
}

}  // namespace linnet::nn
