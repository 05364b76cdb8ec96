// SPDX-License-Identifier: Apache-2.0
#pragma once
// The register-blocked matrix product, as every instruction set offers it. One routine serves matmul, dense
// and the direct convolution: the rows of A are any strided views and may overlap.
//
//   c[l][i][j]  =  sum over s, t, k  of  a[l][s][t][i][k] * b[s][t][k][j]
//
// l: line (an output row of an image), i: row (a pixel), j: column (a channel); s, t: segments of the sum, k:
// term. Each element of c is one chain of madd() over (s, t, k) in that order, starting from zero. How rows
// and columns are blocked cannot change its bits. Sums in more than one part are several calls with `add`.

#include <cstddef>
#include <cstdint>

#include "linnet/core/kernels/isa_table.h"

namespace linnet::kernels {

using Index = std::ptrdiff_t;

/// Strides and sizes count floats.
struct Product {
  const float* a = nullptr;
  Index a_row = 0, a_term = 1, a_line = 0, a_outer = 0, a_inner = 0;
  /// Columns are contiguous within a panel of panel_columns(rows); whole vectors are read, so b must be
  /// readable (by zero padding or by luck of the next row) up to the next multiple of the lanes.
  const float* b = nullptr;
  Index b_term = 0, b_panel = 0, b_outer = 0, b_inner = 0;
  float* c = nullptr;
  Index c_row = 0, c_line = 0;
  Index lines = 1, rows = 0, columns = 0;
  Index outer = 1, inner = 1, terms = 0;
  Index panel_vectors = 1;      ///< vectors of a panel of b: 1, 2, 4 or 8
  bool add = false;             ///< c += the sum, in one rounding, instead of c = the sum
  const float* bias = nullptr;  ///< [columns], added after the last term, when given
  bool relu = false;            ///< and then max(c, 0)
};

/// y[m][n] = sum over k of x[m][k] * w[n][k] for a few m, with w read once and as it lies: its rows are
/// contiguous.
struct FewRows {
  const float* x = nullptr;
  Index x_row = 0, x_term = 0;
  const float* w = nullptr;
  Index w_row = 0;
  float* y = nullptr;
  Index y_row = 0, y_column = 1;
  Index rows = 0, columns = 0, terms = 0;  ///< rows <= kFewRows
  bool add = false;
};
inline constexpr Index kFewRows = 4;

struct GemmTable {
  Index lanes;
  /// How many vectors wide panels of b should be for a product of so many rows.
  Index (*panel_vectors)(Index rows);
  /// How many rows are computed at once with such panels.
  Index (*rows_at_once)(Index panel_vectors);
  void (*multiply)(const Product& p);
  void (*multiply_few)(const FewRows& p);
  /// y[c][r] = x[r][c] for r < rows, c < columns.
  void (*transpose)(const float* x, Index x_row, Index rows, Index columns, float* y, Index y_row);
};

LINNET_DECLARE_TABLE(GemmTable, gemm)

}  // namespace linnet::kernels
