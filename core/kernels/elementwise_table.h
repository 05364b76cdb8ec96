// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loops behind elementwise.h: one pointer per row of core/ops/unary.def and binary.def, in the order of
// the rows, which is also the order of Op.

#include <cstddef>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

enum class UnaryRow {
#define UNARY(name, ...) name,
#define UNARY1(name, ...) name,
#define UNARY2(name, ...) name,
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
  count
};
enum class BinaryRow {
#define BINARY(name, ...) name,
#include "linnet/core/ops/binary.def"
#undef BINARY
  count
};
inline constexpr int kUnaryRows = static_cast<int>(UnaryRow::count);
inline constexpr int kBinaryRows = static_cast<int>(BinaryRow::count);

/// `rows` rows of `n` results, dense. Row r of operand a starts at a + r * a_row and advances by a_step, 0
/// or 1.
struct Plane {
  std::ptrdiff_t rows, n;
  std::ptrdiff_t a_row, b_row;
  int a_step, b_step;
};

template <class T>
struct ElementwiseKernels {
  using Unary = void(const T* x, T* y, std::ptrdiff_t n, T p, T q);
  /// x and y are read only where the row needs them, else they may be null.
  using UnaryGrad = void(const T* x, const T* y, const T* dy, T* dx, std::ptrdiff_t n, T p, T q);
  using Binary = void(const T* a, const T* b, T* y, const Plane& plane);
  /// dy and the result are dense; a and b may be null where the row needs neither.
  using BinaryGrad = void(const T* a, const T* b, const T* dy, T* dx, const Plane& plane);

  Unary* unary[kUnaryRows];
  UnaryGrad* unary_grad[kUnaryRows];
  Binary* binary[kBinaryRows];
  BinaryGrad* binary_grad[2][kBinaryRows];  ///< [side]

  void (*scale)(const T* x, T* y, std::ptrdiff_t n, T factor);       ///< y = factor x
  void (*accumulate)(const T* x, T* y, std::ptrdiff_t n, T factor);  ///< y += factor x
  bool (*all_finite)(const T* x, std::ptrdiff_t n);
};

LINNET_DECLARE_TABLE(ElementwiseKernels<float>, elementwise)

/// Plain loops over the same rows; T is double or float.
template <class T>
const ElementwiseKernels<T>& naive_elementwise();

}  // namespace linnet::kernels
