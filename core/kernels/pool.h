// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pooling over [N, H, W, C]. Padding never wins a maximum and is not counted in a mean; the first NaN of a
// window wins its maximum. Windows of make_window() with dilation 1; arguments are checked by the callers in
// autograd.

#include "linnet/core/tensor.h"
#include "linnet/core/window.h"

namespace linnet::kernels {

/// index: for each output the place of the first maximum in its window, row by row (u8 up to 256 places, else
/// i32).
struct MaxPool {
  Tensor y, index;
};
/// The index is computed only when wanted.
MaxPool max_pool2d(const Tensor& x, const Window& window, bool want_index);
Tensor max_pool2d_grad(const Tensor& dy, const Tensor& index, const Shape& x, const Window& window);
Tensor avg_pool2d(const Tensor& x, const Window& window);
Tensor avg_pool2d_grad(const Tensor& dy, const Shape& x, const Window& window);

}  // namespace linnet::kernels
