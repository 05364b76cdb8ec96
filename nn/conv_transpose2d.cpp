// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/conv_transpose2d.h"

#include "linnet/autograd/ops.h"

namespace linnet::nn {

ConvTranspose2D::ConvTranspose2D(std::int64_t in, std::int64_t out, const ConvTranspose2DOptions& options)
    : stride_(options.stride),
      dilation_(options.dilation),
      output_padding_(options.output_padding),
      padding_(options.padding),
      groups_(options.groups) {
  check<ValueError>(in >= 1 && out >= 1, "ConvTranspose2D: channels must be at least 1: in ", in, ", out ",
                    out, ". The channels of x [N, H, W, C] are its last axis.");
  check_window("ConvTranspose2D", options.kernel, stride_, dilation_, padding_);
  const Pair most = padding_.kind == Padding::Kind::same ? Pair(1) : stride_;
  check<ValueError>(
      output_padding_.h >= 0 && output_padding_.w >= 0 && output_padding_.h < most.h &&
          output_padding_.w < most.w,
      "ConvTranspose2D: output_padding must be at least 0 and smaller than the stride, and 0 with same"
      " padding: got ",
      nn::describe(output_padding_), " with stride ", nn::describe(stride_), ".");
  check<ValueError>(groups_ >= 1 && in % groups_ == 0 && out % groups_ == 0,
                    "ConvTranspose2D: groups must divide the input and output channels: ", groups_,
                    " groups, in ", in, ", out ", out, ".");
  weight = initial_parameter("ConvTranspose2D", options.weight_init,
                             {out, options.kernel.h, options.kernel.w, in / groups_});
  if (options.bias) bias = initial_parameter("ConvTranspose2D", init::zeros, {out});
}

void ConvTranspose2D::members(Members& m) {
  m.parameter("weight", weight);
  m.parameter("bias", bias);
}

std::string ConvTranspose2D::describe() const {
  std::string text =
      concat({"ConvTranspose2D ", weight.dim(3) * groups_, " -> ", weight.dim(0),
              describe_window(Pair(weight.dim(1), weight.dim(2)), stride_, dilation_, padding_)});
  if (output_padding_ != Pair(0)) text += ", output padding " + nn::describe(output_padding_);
  if (groups_ != 1) text += concat({", ", groups_, " groups"});
  return bias.defined() ? text : text + ", no bias";
}

Tensor ConvTranspose2D::forward(const Tensor& x) {
  return conv_transpose2d(x, weight, bias,
                          {.stride = stride_,
                           .dilation = dilation_,
                           .padding = padding_,
                           .output_padding = output_padding_,
                           .groups = groups_});
}

}  // namespace linnet::nn
