// SPDX-License-Identifier: Apache-2.0
#pragma once
// 2-D convolution (cross-correlation), channels last, by the matmul kernel over overlapping rows: no im2col.
//   x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] or undefined, y [N, H', W', O].
// y: one sum over kernel rows in order; dx: over output rows and taps in order, per image; dweight: whole images, partial
// sums of a number of image groups that depends on the shape only, added in order.

#include "linnet/core/tensor.h"
#include "linnet/core/window.h"

namespace linnet::kernels {

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window& window, std::int64_t groups);
Tensor conv2d_grad_input(const Tensor& dy, const Tensor& weight, const Shape& x, const Window& window, std::int64_t groups);
Tensor conv2d_grad_weight(const Tensor& dy, const Tensor& x, const Shape& weight, const Window& window, std::int64_t groups);

}  // namespace linnet::kernels
