// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/global_pool.h"

#include "linnet/autograd/ops.h"

namespace linnet::nn {

namespace {

/// ShapeError unless x has `rank` axes and something to pool.
void check_map(const char* layer, const Tensor& x, int rank) {
  check<ValueError>(x.defined(), layer, ": x is undefined.");
  check<ShapeError>(x.rank() == rank && x.shape().product(1, rank - 1) > 0, layer, ": x must be ",
                    rank == 3 ? "[N, T, C]" : "[N, H, W, C]", " with at least one place, got ", x.shape(),
                    ".");
}

}  // namespace

Tensor GlobalAvgPool1D::forward(const Tensor& x) {
  check_map("GlobalAvgPool1D", x, 3);
  return mean(x, {1});
}

Tensor GlobalAvgPool2D::forward(const Tensor& x) {
  check_map("GlobalAvgPool2D", x, 4);
  return mean(x, {1, 2});
}

Tensor GlobalMaxPool1D::forward(const Tensor& x) {
  check_map("GlobalMaxPool1D", x, 3);
  return max(x, {1});
}

Tensor GlobalMaxPool2D::forward(const Tensor& x) {
  check_map("GlobalMaxPool2D", x, 4);
  return max(x, {1, 2});
}

}  // namespace linnet::nn
