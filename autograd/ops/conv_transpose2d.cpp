// SPDX-License-Identifier: Apache-2.0
// conv_transpose2d: y[n, i s - top + a d, j s - left + b d, o] = bias[o] + sum over (i, j, a, b, c) that meet
// there of x[n, i, j, c] w[o, a, b, c]. With v, the weight with inputs and outputs exchanged, y is the input
// gradient of the convolution by v, so dx = conv2d(dy, v) and dv is its weight gradient for (x, dy).
#include "linnet/autograd/ops/check_convolution.h"
#include "linnet/autograd/ops/window_attributes.h"
#include "linnet/core/kernels/conv.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/layout.h"
#include "linnet/core/kernels/reduce.h"

namespace linnet {
namespace {

/// [groups a, kh, kw, b] -> [groups b, kh, kw, a], within each group.
Tensor exchanged(const Tensor& weight, std::int64_t groups) {
  const std::int64_t a = weight.dim(0) / groups, kh = weight.dim(1), kw = weight.dim(2), b = weight.dim(3);
  const int order[] = {0, 3, 2, 1};
  return kernels::transpose(weight.view({groups, a, kh * kw, b}), order).view({groups * b, kh, kw, a});
}

}  // namespace

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2DParams& params) {
  check_convolution("conv_transpose2d", x, weight, bias, params.groups);
  const Window window =
      make_transposed_window("conv_transpose2d", x.shape(), Pair(weight.dim(1), weight.dim(2)), params.stride,
                             params.dilation, params.padding, params.output_padding);
  const Shape result{x.dim(0), window.in.h, window.in.w, weight.dim(0)};
  Tensor y = kernels::conv2d_grad_input(x, exchanged(weight, params.groups), result, window, params.groups);
  if (bias.defined()) y = kernels::binary(Op::add, y, bias);

  auto attributes = [&] {
    State state = window_attributes(params.stride, params.padding);
    state.set("dilation", integers(params.dilation));
    state.set("output_padding", integers(params.output_padding));
    state.set("groups", params.groups);
    return state;
  };
  auto rule = [x = saved(x, needed_by(weight)), weight = saved(weight, needed_by(x)),
               v_shape = Shape{x.dim(3), weight.dim(1), weight.dim(2), weight.dim(0) / params.groups}, window,
               groups = params.groups](const Tensor& dy, Grads& grad) {
    if (grad.wanted(0)) grad.add(0, kernels::conv2d(dy, exchanged(*weight, groups), {}, window, groups));
    if (grad.wanted(1))
      grad.add(1, exchanged(kernels::conv2d_grad_weight(*x, dy, v_shape, window, groups), groups));
    if (grad.wanted(2)) grad.add(2, kernels::sum(dy, {0, 1, 2}));
  };
  if (!bias.defined()) return record(Op::conv_transpose2d, y, {x, weight}, attributes, std::move(rule));
  return record(Op::conv_transpose2d, y, {x, weight, bias}, attributes, std::move(rule));
}

}  // namespace linnet
