// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/conv1d.h"

#include "linnet/nn/sequence_impl.h"

namespace linnet::nn {

namespace {

/// conv2d over images of one row; weight [out, kernel, in/groups].
Tensor convolve(const char* layer, const Tensor& x, const Tensor& weight, const Tensor& bias,
                std::int64_t stride, std::int64_t dilation, const Padding1D& padding, std::int64_t groups) {
  return as_sequence(
      conv2d(as_image(layer, x, weight.dim(2) * groups),
             weight.reshape({weight.dim(0), 1, weight.dim(1), weight.dim(2)}), bias,
             {.stride = {1, stride}, .dilation = {1, dilation}, .padding = padding.sides, .groups = groups}));
}

}  // namespace

Conv1D::Conv1D(std::int64_t in, std::int64_t out, const Conv1DOptions& options)
    : stride_(options.stride),
      dilation_(options.dilation),
      groups_(options.groups),
      padding_(options.padding) {
  check<ValueError>(in >= 1 && out >= 1, "Conv1D: channels must be at least 1: in ", in, ", out ", out,
                    ". The channels of x [N, T, C] are its last axis.");
  check_window("Conv1D", options.kernel, stride_, dilation_, padding_);
  check<ValueError>(groups_ >= 1 && in % groups_ == 0 && out % groups_ == 0,
                    "Conv1D: groups must divide the input and output channels: ", groups_, " groups, in ", in,
                    ", out ", out, ".");
  weight = initial_parameter("Conv1D", options.weight_init, {out, options.kernel, in / groups_});
  if (options.bias) bias = initial_parameter("Conv1D", init::zeros, {out});
}

void Conv1D::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string Conv1D::describe() const {
  std::string text = concat({"Conv1D ", weight.dim(2) * groups_, " -> ", weight.dim(0),
                             describe_window(weight.dim(1), stride_, dilation_, padding_)});
  if (groups_ != 1) text += concat({", ", groups_, " groups"});
  return bias.defined() ? text : text + ", no bias";
}

Tensor Conv1D::forward(const Tensor& x) {
  return convolve("Conv1D", x, weight, bias, stride_, dilation_, padding_, groups_);
}

DepthwiseConv1D::DepthwiseConv1D(std::int64_t channels, const DepthwiseConv1DOptions& options)
    : channels_(channels), stride_(options.stride), dilation_(options.dilation), padding_(options.padding) {
  check<ValueError>(channels >= 1 && options.multiplier >= 1,
                    "DepthwiseConv1D: channels and multiplier must be at"
                    " least 1: channels ",
                    channels, ", multiplier ", options.multiplier, ".");
  check_window("DepthwiseConv1D", options.kernel, stride_, dilation_, padding_);
  const std::int64_t out = channels * options.multiplier;
  weight = initial_parameter("DepthwiseConv1D", options.weight_init, {out, options.kernel, 1});
  if (options.bias) bias = initial_parameter("DepthwiseConv1D", init::zeros, {out});
}

void DepthwiseConv1D::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string DepthwiseConv1D::describe() const {
  std::string text = concat({"DepthwiseConv1D ", channels_});
  if (weight.dim(0) != channels_) text += concat({" x ", weight.dim(0) / channels_});
  text += describe_window(weight.dim(1), stride_, dilation_, padding_);
  return bias.defined() ? text : text + ", no bias";
}

Tensor DepthwiseConv1D::forward(const Tensor& x) {
  return convolve("DepthwiseConv1D", x, weight, bias, stride_, dilation_, padding_, channels_);
}

}  // namespace linnet::nn
