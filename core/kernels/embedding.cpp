// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/embedding.h"

#include <algorithm>

#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

template <class Body>
void dispatch_index(DType dtype, Body body) {
  if (dtype == i64) return body(std::int64_t{});
  if (dtype == i32) return body(std::int32_t{});
  LINNET_ASSERT(dtype == u8);
  body(std::uint8_t{});
}

/// Columns of the table that one thread sums; has no influence on the result.
constexpr std::int64_t kColumns = 16;

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight) {
  const std::int64_t n = indices.size(), d = weight.shape()[1];
  Tensor y = Tensor::empty(indices.shape().inserted(indices.rank(), d), weight.dtype());
  dispatch_float("embedding", weight.dtype(), [&](auto zero) {
    using T = decltype(zero);
    dispatch_index(indices.dtype(), [&](auto index_zero) {
      using Id = decltype(index_zero);
      for_row_tiles(n, d, 1, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t i = first; i < end; ++i)
          std::copy_n(readable<T>(weight) + static_cast<std::int64_t>(readable<Id>(indices)[i]) * d, d,
                      writable<T>(y) + i * d);
      });
    });
  });
  return y;
}

Tensor embedding_grad(const Tensor& indices, const Tensor& dy, std::int64_t rows,
                      std::optional<std::int64_t> skip) {
  const std::int64_t n = indices.size(), d = dy.shape().back();
  Tensor dweight = Tensor::zeros({rows, d}, dy.dtype());
  dispatch_float("embedding", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    dispatch_index(indices.dtype(), [&](auto index_zero) {
      using Id = decltype(index_zero);
      parallel_for((d + kColumns - 1) / kColumns, n * d, [&](std::int64_t tile) {
        const std::int64_t begin = tile * kColumns, count = std::min(kColumns, d - begin);
        for (std::int64_t i = 0; i < n; ++i) {
          const auto row = static_cast<std::int64_t>(readable<Id>(indices)[i]);
          if (row == skip) continue;
          const T* from = readable<T>(dy) + i * d + begin;
          T* to = writable<T>(dweight) + row * d + begin;
          for (std::int64_t k = 0; k < count; ++k) to[k] += from[k];
        }
      });
    });
  });
  return dweight;
}

}  // namespace linnet::kernels
