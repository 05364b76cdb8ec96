// SPDX-License-Identifier: Apache-2.0
#pragma once
// 2-D convolution (cross-correlation), channels last, by the matmul kernel over overlapping rows: no im2col.
//   x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] or undefined, y [N, H', W', O].
// Arguments are checked by the callers in autograd. Scratch is one padded image (or band of it) a thread and
// the repacked weights.
//
// The order of the sums, fixed by the shapes alone:
//   y        terms (kh, kw, c), in chunks of whole kernel rows with at most 512 terms (or one row); then the
//            bias
//   dx       one partial sum over o for each tap (kh, kw), in order of the taps
//   dweight  pixels, at most 128 at a time (whole images, whole rows of one image, or one row), in up to four
//            groups of images
// A 1x1 convolution with stride 1 and no padding is matmul for y and dx, and has its order. One filter for
// each channel: y and dx are one chain over the taps, dweight one chain over the
// pixels of a patch that see the same taps, at most 512 of them (or one row). Sample
// i's y and dx do not depend on the other samples.

#include "linnet/core/tensor.h"
#include "linnet/core/window.h"

namespace linnet::kernels {

/// The convolution, or relu of it.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window& window,
              std::int64_t groups, bool relu = false);
Tensor conv2d_grad_input(const Tensor& dy, const Tensor& weight, const Shape& x, const Window& window,
                         std::int64_t groups);
Tensor conv2d_grad_weight(const Tensor& dy, const Tensor& x, const Shape& weight, const Window& window,
                          std::int64_t groups);

}  // namespace linnet::kernels
