// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind reduce.h. f32 sums of a row run in 16 lanes, lane j taking elements j, j + 16, ...; chunks
// of 4096 elements have sums of their own, added in order. Sums down a column add row after row.

#include <cstddef>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

template <class T>
struct ReduceKernels {
  T (*sum)(const T* x, std::ptrdiff_t n);
  T (*max)(const T* x, std::ptrdiff_t n);  ///< n >= 1; NaN wins
  /// y[c] = sum or maximum over r of x[r * stride + c], for c < columns.
  void (*sum_down)(const T* x, T* y, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t stride);
  void (*max_down)(const T* x, T* y, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t stride);
};

LINNET_DECLARE_TABLE(ReduceKernels<float>, reduce)

/// Plain loops, one element after the other; T is double or float.
template <class T>
const ReduceKernels<T>& naive_reduce();

}  // namespace linnet::kernels
