// SPDX-License-Identifier: Apache-2.0
// upsample2d: y[i, j] = sum of at most four x[r, q], by a weight for the row times one for the column; dx
// takes the same weights of dy.
#include "linnet/core/kernels/upsample.h"

#include "linnet/autograd/ops/common.h"

namespace linnet {

Tensor upsample2d(const Tensor& x, Pair size, Interpolation mode) {
  check_float("upsample2d", "x", x);
  check_rank("upsample2d", "x", x, 4);
  check<ShapeError>(x.dim(1) >= 1 && x.dim(2) >= 1, "upsample2d: the images are empty: ", x.shape(), ".");
  constexpr std::int64_t kLargest = std::int64_t{1} << 24;  // lists of so many taps fit, products stay exact
  check<ShapeError>(x.dim(1) <= kLargest && x.dim(2) <= kLargest,
                    "upsample2d: the images are too large: ", x.shape(), ".");
  check<ValueError>(size.h >= 1 && size.w >= 1 && size.h <= kLargest && size.w <= kLargest,
                    "upsample2d: the size must be in 1..2^24, got [", size.h, ", ", size.w, "].");
  const auto taps = mode == Interpolation::nearest ? kernels::nearest_taps : kernels::linear_taps;
  auto rows = taps(x.dim(1), size.h), columns = taps(x.dim(2), size.w);
  Tensor y = kernels::upsample2d(x, rows, columns);
  return record(
      Op::upsample2d, y, {x},
      [&] {
        const std::int64_t sizes[] = {size.h, size.w};
        return State{{"size", integers(sizes)},
                     {"mode", mode == Interpolation::nearest ? "nearest" : "bilinear"}};
      },
      [rows = std::move(rows), columns = std::move(columns), shape = x.shape()](const Tensor& dy,
                                                                                Grads& grad) {
        grad.add(0, kernels::upsample2d_grad(dy, shape, rows, columns));
      });
}

}  // namespace linnet
