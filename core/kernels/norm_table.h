// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind norm.h.

#include <cstddef>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

/// `rows` rows of `columns` elements; the next row starts `stride` elements further.
struct Block {
  std::ptrdiff_t rows, columns, stride;
};

/// Numbers of each column: what the forward pass computes, and what its gradient does.
template <class T>
struct Affine {
  const T *mean, *scale, *offset;
};
template <class T>
struct Slopes {
  const T *a, *b, *c;
};

/// Normalisation of columns (batch-norm, group-norm): per-column numbers are arrays of `columns`.
template <class T>
struct ColumnNormKernels {
  /// shift = the first row; with d = x - shift: sum = sum of d, squares = sum of d^2.
  void (*moments)(const T* x, const Block& block, T* shift, T* sum, T* squares);
  /// y = (x - mean) scale + offset, or relu of that.
  void (*apply)(const T* x, T* y, const Block& block, const Affine<T>& by, bool relu);
  /// sum = sum of g, product = sum of g (x - mean), with g = dy, or after a relu dy [(x - mean) scale +
  /// offset > 0].
  void (*grad_sums)(const T* x, const T* dy, const Block& block, const Affine<T>& by, bool relu, T* sum,
                    T* product);
  /// dx = a g + (b (x - mean) + c); dx may be dy.
  void (*grad)(const T* x, const T* dy, T* dx, const Block& block, const Affine<T>& by, bool relu,
               const Slopes<T>& k);
};
LINNET_DECLARE_TABLE(ColumnNormKernels<float>, column_norm)

/// What is kept of a row: xhat = ((x - mean) - rest) inv_std, where mean + rest is the mean.
template <class T>
struct RowStatistics {
  T mean, rest, inv_std;
};

/// Normalisation of dense rows of n elements (layer-norm); weight [n] and bias [n] are both there or null.
template <class T>
struct RowNormKernels {
  void (*apply)(const T* x, const T* weight, const T* bias, T* y, RowStatistics<T>* kept, std::ptrdiff_t rows,
                std::ptrdiff_t n, T eps);
  void (*grad)(const T* x, const T* dy, const T* weight, const RowStatistics<T>* kept, T* dx,
               std::ptrdiff_t rows, std::ptrdiff_t n);
  /// dweight = sum over rows of dy xhat, dbias = sum over rows of dy.
  void (*grad_weight)(const T* x, const T* dy, const RowStatistics<T>* kept, T* dweight, T* dbias,
                      std::ptrdiff_t rows, std::ptrdiff_t n);
};
LINNET_DECLARE_TABLE(RowNormKernels<float>, row_norm)

/// Plain loops; T is double or float.
template <class T>
const ColumnNormKernels<T>& naive_column_norm();
template <class T>
const RowNormKernels<T>& naive_row_norm();

}  // namespace linnet::kernels
