// SPDX-License-Identifier: Apache-2.0
// conv2d: y[n, i, j, o] = bias[o] + sum over (a, b, c) of x[n, i s - top + a d, j s - left + b d, c] w[o, a,
// b, c].
#include "linnet/core/kernels/conv.h"

#include "linnet/autograd/ops/common.h"
#include "linnet/autograd/ops/window_attributes.h"
#include "linnet/core/kernels/reduce.h"

namespace linnet {
namespace {

void check_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2DParams& params) {
  check_float("conv2d", "x", x);
  check_float("conv2d", "weight", weight);
  check_same_dtype("conv2d", "x", x, "weight", weight);
  check_rank("conv2d", "x", x, 4);
  check_rank("conv2d", "weight", weight, 4);
  std::int64_t groups = params.groups, channels = x.dim(3), filters = weight.dim(0);
  check<ValueError>(groups >= 1 && channels % groups == 0 && filters % groups == 0,
                    "conv2d: groups must divide ", channels, " input and ", filters, " output channels, got ",
                    groups, ".");
  check<ShapeError>(weight.dim(3) * groups == channels, "conv2d: x ", x.shape(), " has ", channels,
                    " channels, weight ", weight.shape(), " with ", groups, " group(s) expects ",
                    weight.dim(3) * groups, ". Images are [N, H, W, C], weights [O, kh, kw, C/groups].");
  if (!bias.defined()) return;
  check_same_dtype("conv2d", "weight", weight, "bias", bias);
  check<ShapeError>(bias.shape() == Shape{filters}, "conv2d: bias must have shape [", filters, "], got ",
                    bias.shape(), ".");
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2DParams& params) {
  check_conv2d(x, weight, bias, params);
  Window window = make_window("conv2d", x.shape(), Pair(weight.dim(1), weight.dim(2)), params.stride,
                              params.dilation, params.padding);
  Tensor y = kernels::conv2d(x, weight, bias, window, params.groups);

  auto attributes = [&] {
    State state = window_attributes(params.stride, params.padding);
    state.set("dilation", integers(params.dilation));
    state.set("groups", params.groups);
    return state;
  };
  auto rule = [x = saved(x, needed_by(weight)), weight = saved(weight, needed_by(x)), x_shape = x.shape(),
               w_shape = weight.shape(), window, groups = params.groups](const Tensor& dy, Grads& grad) {
    if (grad.wanted(0)) grad.add(0, kernels::conv2d_grad_input(dy, *weight, x_shape, window, groups));
    if (grad.wanted(1)) grad.add(1, kernels::conv2d_grad_weight(dy, *x, w_shape, window, groups));
    if (grad.wanted(2)) grad.add(2, kernels::sum(dy, {0, 1, 2}));
  };
  if (!bias.defined()) return record(Op::conv2d, y, {x, weight}, attributes, std::move(rule));
  return record(Op::conv2d, y, {x, weight, bias}, attributes, std::move(rule));
}

}  // namespace linnet
