// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/norm.h"
#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/reduce.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(RowNormKernels, row_norm, naive_row_norm)

constexpr std::int64_t kNormCost = 4;
/// Rows whose gradients of weight and bias are one sum; those of all such tiles are added in order.
constexpr std::int64_t kTileRows = 128;

template <class T>
const T* or_null(const Tensor& t) {
  return t.defined() ? readable<T>(t) : nullptr;
}
template <class T>
RowStatistics<T>* rows_of(const Tensor& kept) {
  return reinterpret_cast<RowStatistics<T>*>(writable<T>(kept));
}

}  // namespace

RowNorm layer_norm(const Tensor& x, std::int64_t n, const Tensor& weight, const Tensor& bias, double eps) {
  const std::int64_t rows = n > 0 ? x.size() / n : 0;
  RowNorm result{Tensor::empty(x.shape(), x.dtype()), Tensor::empty({rows, 3}, x.dtype())};
  dispatch_float("layer_norm", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(rows, n, kNormCost, [&](std::int64_t first, std::int64_t end) {
      row_norm_kernels<T>().apply(readable<T>(x) + first * n, or_null<T>(weight), or_null<T>(bias),
                                  writable<T>(result.y) + first * n, rows_of<T>(result.kept) + first,
                                  end - first, n, static_cast<T>(eps));
    });
  });
  return result;
}

Tensor layer_norm_grad(const Tensor& x, const Tensor& dy, std::int64_t n, const Tensor& weight,
                       const Tensor& kept) {
  Tensor dx = Tensor::empty(x.shape(), x.dtype());
  dispatch_float("layer_norm", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(kept.shape()[0], n, kNormCost, [&](std::int64_t first, std::int64_t end) {
      row_norm_kernels<T>().grad(readable<T>(x) + first * n, readable<T>(dy) + first * n, or_null<T>(weight),
                                 rows_of<T>(kept) + first, writable<T>(dx) + first * n, end - first, n);
    });
  });
  return dx;
}

NormGradients layer_norm_grad_weight(const Tensor& x, const Tensor& dy, std::int64_t n, const Tensor& kept) {
  const std::int64_t rows = kept.shape()[0], tiles = (rows + kTileRows - 1) / kTileRows;
  Tensor weight = Tensor::empty({tiles, n}, x.dtype()), bias = Tensor::empty({tiles, n}, x.dtype());
  dispatch_float("layer_norm", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(tiles, rows * n * kNormCost, [&](std::int64_t tile) {
      const std::int64_t first = tile * kTileRows;
      row_norm_kernels<T>().grad_weight(readable<T>(x) + first * n, readable<T>(dy) + first * n,
                                        rows_of<T>(kept) + first, writable<T>(weight) + tile * n,
                                        writable<T>(bias) + tile * n, std::min(kTileRows, rows - first), n);
    });
  });
  return {{}, sum(weight, 0), sum(bias, 0)};
}

}  // namespace linnet::kernels
