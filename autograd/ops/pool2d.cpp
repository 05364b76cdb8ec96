// SPDX-License-Identifier: Apache-2.0
// max_pool2d: the gradient goes to the first maximum of each window, whose place was kept in one byte.
// avg_pool2d: dx = dy / (valid elements of the window), added over the windows that cover x.
#include "linnet/core/kernels/pool.h"

#include "linnet/autograd/ops/common.h"
#include "linnet/autograd/ops/window_attributes.h"

namespace linnet {
namespace {

Window pool_window(const char* op, const Tensor& x, const Pool2DParams& params) {
  check_float(op, "x", x);
  check_rank(op, "x", x, 4);
  return make_window(op, x.shape(), params.kernel, params.stride.value_or(params.kernel), 1, params.padding);
}

State pool_attributes(const Pool2DParams& params) {
  State state = window_attributes(params.stride.value_or(params.kernel), params.padding);
  state.set("kernel", integers(params.kernel));
  return state;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pool2DParams& params) {
  Window window = pool_window("max_pool2d", x, params);
  kernels::MaxPool pool = kernels::max_pool2d(x, window, needed_by(x));
  return record(
      Op::max_pool2d, pool.y, {x}, [&] { return pool_attributes(params); },
      [index = pool.index, shape = x.shape(), window](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::max_pool2d_grad(dy, index, shape, window));
      });
}

Tensor avg_pool2d(const Tensor& x, const Pool2DParams& params) {
  Window window = pool_window("avg_pool2d", x, params);
  return record(
      Op::avg_pool2d, kernels::avg_pool2d(x, window), {x}, [&] { return pool_attributes(params); },
      [shape = x.shape(), window](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::avg_pool2d_grad(dy, shape, window));
      });
}

}  // namespace linnet
