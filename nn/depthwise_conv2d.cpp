// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/depthwise_conv2d.h"

#include "linnet/autograd/fused.h"
#include "linnet/nn/norm.h"

namespace linnet::nn {

DepthwiseConv2D::DepthwiseConv2D(std::int64_t channels, const DepthwiseConv2DOptions& options)
    : channels_(channels), stride_(options.stride), dilation_(options.dilation), padding_(options.padding) {
  check<ValueError>(channels >= 1 && options.multiplier >= 1,
                    "DepthwiseConv2D: channels and multiplier must be at"
                    " least 1: channels ",
                    channels, ", multiplier ", options.multiplier, ".");
  check_window("DepthwiseConv2D", options.kernel, stride_, dilation_, padding_);
  const std::int64_t out = channels * options.multiplier;
  weight =
      initial_parameter("DepthwiseConv2D", options.weight_init, {out, options.kernel.h, options.kernel.w, 1});
  if (options.bias) bias = initial_parameter("DepthwiseConv2D", init::zeros, {out});
}

void DepthwiseConv2D::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string DepthwiseConv2D::window() const {
  return describe_window(Pair(weight.dim(1), weight.dim(2)), stride_, dilation_, padding_);
}

std::string DepthwiseConv2D::describe() const {
  std::string text = concat({"DepthwiseConv2D ", channels_});
  if (multiplier() != 1) text += concat({" x ", multiplier()});
  return text + window() + (bias.defined() ? "" : ", no bias");
}

Conv2DParams DepthwiseConv2D::params() const {
  return {.stride = stride_, .dilation = dilation_, .padding = padding_, .groups = channels_};
}

Tensor DepthwiseConv2D::forward(const Tensor& x) { return conv2d(x, weight, bias, params()); }

Tensor DepthwiseConv2D::forward_relu(const Tensor& x) { return conv2d_relu(x, weight, bias, params()); }

Tensor DepthwiseConv2D::forward_behind(BatchNorm& norm, const Tensor& x) {
  return batch_norm_relu_conv2d(x, norm.inputs(), weight, bias, params());
}

SeparableConv2D::SeparableConv2D(std::int64_t in, std::int64_t out, const SeparableConv2DOptions& options)
    : depthwise(in, {.kernel = options.kernel,
                     .stride = options.stride,
                     .dilation = options.dilation,
                     .padding = options.padding,
                     .multiplier = options.multiplier,
                     .bias = false,
                     .weight_init = options.depthwise_init}),
      pointwise(in * options.multiplier, out,
                {.kernel = 1, .bias = options.bias, .weight_init = options.pointwise_init}) {}

void SeparableConv2D::members(Members& m) {
  m.child("depthwise", depthwise);
  m.child("pointwise", pointwise);
}

std::string SeparableConv2D::describe() const {
  std::string text = concat({"SeparableConv2D ", depthwise.channels(), " -> ", pointwise.weight.dim(0)});
  text += depthwise.window();
  if (depthwise.multiplier() != 1) text += concat({", multiplier ", depthwise.multiplier()});
  return pointwise.bias.defined() ? text : text + ", no bias";
}

Tensor SeparableConv2D::forward(const Tensor& x) { return pointwise(depthwise(x)); }

Tensor SeparableConv2D::forward_relu(const Tensor& x) { return pointwise.with_relu(depthwise(x)); }

Tensor SeparableConv2D::forward_behind(BatchNorm& norm, const Tensor& x) {
  return pointwise(depthwise.behind(norm, x));
}

}  // namespace linnet::nn
