// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/conv2d.h"

#include "linnet/autograd/fused.h"
#include "linnet/nn/norm.h"

namespace linnet::nn {

Conv2D::Conv2D(std::int64_t in, std::int64_t out, const Conv2DOptions& options)
    : stride_(options.stride),
      dilation_(options.dilation),
      padding_(options.padding),
      groups_(options.groups) {
  check<ValueError>(in >= 1 && out >= 1, "Conv2D: channels must be at least 1: in ", in, ", out ", out,
                    ". The channels of x [N, H, W, C] are its last axis.");
  check_window("Conv2D", options.kernel, stride_, dilation_, padding_);
  check<ValueError>(groups_ >= 1 && in % groups_ == 0 && out % groups_ == 0,
                    "Conv2D: groups must divide the input and output channels: ", groups_, " groups, in ", in,
                    ", out ", out, ".");
  weight = initial_parameter("Conv2D", options.weight_init,
                             {out, options.kernel.h, options.kernel.w, in / groups_});
  if (options.bias) bias = initial_parameter("Conv2D", init::zeros, {out});
}

void Conv2D::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string Conv2D::describe() const {
  std::string text =
      concat({"Conv2D ", weight.dim(3) * groups_, " -> ", weight.dim(0),
              describe_window(Pair(weight.dim(1), weight.dim(2)), stride_, dilation_, padding_)});
  if (groups_ != 1) text += concat({", ", groups_, " groups"});
  return bias.defined() ? text : text + ", no bias";
}

Conv2DParams Conv2D::params() const {
  return {.stride = stride_, .dilation = dilation_, .padding = padding_, .groups = groups_};
}

Tensor Conv2D::forward(const Tensor& x) { return conv2d(x, weight, bias, params()); }

Tensor Conv2D::forward_relu(const Tensor& x) { return conv2d_relu(x, weight, bias, params()); }

Tensor Conv2D::forward_behind(BatchNorm& norm, const Tensor& x) {
  return batch_norm_relu_conv2d(x, norm.inputs(), weight, bias, params());
}

}  // namespace linnet::nn
