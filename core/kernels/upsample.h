// SPDX-License-Identifier: Apache-2.0
#pragma once
// Resizing images [N, H, W, C] by taps: a row (column) of the result is a mix of at most two rows (columns).

#include <cstdint>
#include <vector>

#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// value = (1 - share) value[low] + share value[high]; share 0 copies.
struct ResizeTap {
  std::int64_t low = 0, high = 0;
  double share = 0.0;
};

/// Of the `out` places of one axis in the `in` places of x, by whole-number arithmetic:
/// the place floor(i in / out),
std::vector<ResizeTap> nearest_taps(std::int64_t in, std::int64_t out);
/// or the two neighbours of (i + 1/2) in / out - 1/2, which is kept inside [0, in - 1].
std::vector<ResizeTap> linear_taps(std::int64_t in, std::int64_t out);

Tensor upsample2d(const Tensor& x, const std::vector<ResizeTap>& rows, const std::vector<ResizeTap>& columns);
/// Contributions are added in the order of the places of dy.
Tensor upsample2d_grad(const Tensor& dy, const Shape& x, const std::vector<ResizeTap>& rows,
                       const std::vector<ResizeTap>& columns);

}  // namespace linnet::kernels
