// SPDX-License-Identifier: Apache-2.0
// conv2d: y[n, i, j, o] = bias[o] + sum over (a, b, c) of x[n, i s - top + a d, j s - left + b d, c] w[o, a,
// b, c].
#include "linnet/core/kernels/conv.h"

#include "linnet/autograd/fused.h"
#include "linnet/autograd/ops/behind_relu.h"
#include "linnet/autograd/ops/check_convolution.h"
#include "linnet/autograd/ops/window_attributes.h"
#include "linnet/core/kernels/reduce.h"

namespace linnet {
namespace {

Tensor convolve(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2DParams& params,
                bool relu) {
  check_convolution("conv2d", x, weight, bias, params.groups);
  Window window = make_window("conv2d", x.shape(), Pair(weight.dim(1), weight.dim(2)), params.stride,
                              params.dilation, params.padding);
  Tensor y = kernels::conv2d(x, weight, bias, window, params.groups, relu);

  auto attributes = [&] {
    State state = window_attributes(params.stride, params.padding);
    state.set("dilation", integers(params.dilation));
    state.set("groups", params.groups);
    return state;
  };
  auto rule = [x = saved_input(x, needed_by(weight)), weight = saved(weight, needed_by(x)),
               x_shape = x.shape(), w_shape = weight.shape(), y = saved(y, relu), window,
               groups = params.groups](const Tensor& gradient, Grads& grad) {
    const Tensor dy = behind_relu(*y, gradient);
    if (grad.wanted(0)) grad.add(0, kernels::conv2d_grad_input(dy, *weight, x_shape, window, groups));
    if (grad.wanted(1)) grad.add(1, kernels::conv2d_grad_weight(dy, *x, w_shape, window, groups));
    if (grad.wanted(2)) grad.add(2, kernels::sum(dy, {0, 1, 2}));
  };
  if (!bias.defined()) return record(Op::conv2d, y, {x, weight}, attributes, std::move(rule));
  return record(Op::conv2d, y, {x, weight, bias}, attributes, std::move(rule));
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2DParams& params) {
  return convolve(x, weight, bias, params, false);
}

Tensor conv2d_relu(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2DParams& params) {
  if (tape::recording()) return relu(conv2d(x, weight, bias, params));
  return convolve(x, weight, bias, params, true);
}

}  // namespace linnet
