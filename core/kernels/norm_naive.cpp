// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "linnet/core/kernels/norm_table.h"

namespace linnet::kernels {
namespace {

using Size = std::ptrdiff_t;

template <class T>
void column_moments(const T* x, const Block& block, T* shift, T* sum, T* squares) {
  for (Size c = 0; c < block.columns; ++c) {
    shift[c] = x[c];
    sum[c] = squares[c] = 0;
    for (Size r = 1; r < block.rows; ++r) {
      const T d = x[r * block.stride + c] - shift[c];
      sum[c] += d;
      squares[c] += d * d;
    }
  }
}

template <class T>
void column_grad_sums(const T* x, const T* dy, const Block& block, const T* mean, const T* scale,
                      const T* offset, T* sum, T* product) {
  for (Size c = 0; c < block.columns; ++c) {
    sum[c] = product[c] = 0;
    for (Size i = c; i < block.rows * block.stride; i += block.stride) {
      sum[c] += dy[i];
      product[c] += dy[i] * ((x[i] - mean[c]) * scale[c] + offset[c]);
    }
  }
}

template <class T>
void column_apply(const T* x, T* y, const Block& block, const T* mean, const T* scale, const T* offset) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, y += block.stride)
    for (Size c = 0; c < block.columns; ++c) y[c] = (x[c] - mean[c]) * scale[c] + offset[c];
}

template <class T>
void column_grad(const T* x, const T* dy, T* dx, const Block& block, const T* mean, const T* a, const T* b,
                 const T* c) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, dy += block.stride, dx += block.stride)
    for (Size i = 0; i < block.columns; ++i) dx[i] = a[i] * dy[i] + (b[i] * (x[i] - mean[i]) + c[i]);
}

template <class T>
T xhat(T x, const RowStatistics<T>& row) {
  return ((x - row.mean) - row.rest) * row.inv_std;
}

template <class T>
void row_apply(const T* x, const T* weight, const T* bias, T* y, RowStatistics<T>* kept, Size rows, Size n,
               T eps) {
  for (Size r = 0; r < rows; ++r, x += n, y += n) {
    T sum = 0, squares = 0;
    for (Size i = 0; i < n; ++i) sum += x[i];
    const T mean = sum / static_cast<T>(n);
    for (Size i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    kept[r] = {mean, 0, 1 / std::sqrt(squares / static_cast<T>(n) + eps)};
    for (Size i = 0; i < n; ++i) y[i] = xhat(x[i], kept[r]) * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
  }
}

template <class T>
void row_grad(const T* x, const T* dy, const T* weight, const RowStatistics<T>* kept, T* dx, Size rows,
              Size n) {
  for (Size r = 0; r < rows; ++r, x += n, dy += n, dx += n) {
    T mean = 0, slope = 0;
    for (Size i = 0; i < n; ++i) {
      const T g = weight ? dy[i] * weight[i] : dy[i];
      mean += g / static_cast<T>(n);
      slope += g * xhat(x[i], kept[r]) / static_cast<T>(n);
    }
    for (Size i = 0; i < n; ++i) {
      const T g = weight ? dy[i] * weight[i] : dy[i];
      dx[i] = kept[r].inv_std * (g - mean - xhat(x[i], kept[r]) * slope);
    }
  }
}

template <class T>
void row_grad_weight(const T* x, const T* dy, const RowStatistics<T>* kept, T* dweight, T* dbias, Size rows,
                     Size n) {
  for (Size i = 0; i < n; ++i) {
    dweight[i] = dbias[i] = 0;
    for (Size r = 0; r < rows; ++r) {
      dweight[i] += dy[r * n + i] * xhat(x[r * n + i], kept[r]);
      dbias[i] += dy[r * n + i];
    }
  }
}

}  // namespace

template <class T>
const ColumnNormKernels<T>& naive_column_norm() {
  static constexpr ColumnNormKernels<T> table = {column_moments<T>, column_grad_sums<T>, column_apply<T>,
                                                 column_grad<T>};
  return table;
}
template <class T>
const RowNormKernels<T>& naive_row_norm() {
  static constexpr RowNormKernels<T> table = {row_apply<T>, row_grad<T>, row_grad_weight<T>};
  return table;
}
template const ColumnNormKernels<double>& naive_column_norm<double>();
template const ColumnNormKernels<float>& naive_column_norm<float>();
template const RowNormKernels<double>& naive_row_norm<double>();
template const RowNormKernels<float>& naive_row_norm<float>();

}  // namespace linnet::kernels
