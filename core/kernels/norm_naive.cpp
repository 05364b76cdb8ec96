// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "linnet/core/kernels/norm_table.h"
#include "linnet/core/kernels/scalar_math.h"

namespace linnet::kernels {
namespace {

namespace m = scalar::m;

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
T affine(T x, const Affine<T>& by, Size c) {
  return (x - by.mean[c]) * by.scale[c] + by.offset[c];
}
/// The gradient behind the relu, if there is one.
template <class T>
T passed(T x, T dy, const Affine<T>& by, bool relu, Size c) {
  return relu ? dy * static_cast<T>(affine(x, by, c) > 0) : dy;
}

template <class T>
void column_apply(const T* x, T* y, const Block& block, const Affine<T>& by, bool relu) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, y += block.stride)
    for (Size c = 0; c < block.columns; ++c) {
      const T value = affine(x[c], by, c);
      y[c] = relu ? m::relu(value) : value;
    }
}

template <class T>
void column_grad_sums(const T* x, const T* dy, const Block& block, const Affine<T>& by, bool relu, T* sum,
                      T* product) {
  for (Size c = 0; c < block.columns; ++c) {
    sum[c] = product[c] = 0;
    for (Size i = c; i < block.rows * block.stride; i += block.stride) {
      const T g = passed(x[i], dy[i], by, relu, c);
      sum[c] += g;
      product[c] += g * (x[i] - by.mean[c]);
    }
  }
}

template <class T>
void column_grad(const T* x, const T* dy, T* dx, const Block& block, const Affine<T>& by, bool relu,
                 const Slopes<T>& k) {
  for (Size r = 0; r < block.rows; ++r, x += block.stride, dy += block.stride, dx += block.stride)
    for (Size c = 0; c < block.columns; ++c)
      dx[c] = k.a[c] * passed(x[c], dy[c], by, relu, c) + (k.b[c] * (x[c] - by.mean[c]) + k.c[c]);
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
  static constexpr ColumnNormKernels<T> table = {column_moments<T>, column_apply<T>, column_grad_sums<T>,
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
