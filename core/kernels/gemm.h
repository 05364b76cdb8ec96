// SPDX-License-Identifier: Apache-2.0
#pragma once
// f32 matrix products on raw memory, by our own kernel. Each element of the result is one sum over k in
// increasing order, in chunks of kChunk terms whose partial sums are added in order; then the bias. Which
// form is chosen, how it is tiled and how many threads run it cannot change a bit.

#include "linnet/core/kernels/gemm_table.h"

namespace linnet::kernels {

/// Sums longer than this are made of partial sums: their rounding error grows with the chunk, not with the
/// sum.
inline constexpr Index kChunk = 512;

/// Element (i, j) is data[i * row + j * column].
struct Matrix {
  const float* data;
  Index row, column;
};
inline Matrix transposed(Matrix x) { return {x.data, x.column, x.row}; }

/// What happens to each finished element: + bias [columns], if given, then max(., 0), if wanted.
struct Epilogue {
  const float* bias = nullptr;
  bool relu = false;
};

/// c [rows, columns] = a [rows, terms] x b [terms, columns], then the epilogue.
void gemm(Index rows, Index columns, Index terms, Matrix a, Matrix b, float* c, const Epilogue& end = {});

/// The kernels of the active instruction set.
const GemmTable& gemm_table();

/// Part `index` of `size` things cut into `count` nearly equal parts, each a multiple of `unit` except the
/// last.
struct Band {
  Index begin, end;
};
Band band(Index index, Index count, Index size, Index unit);

/// b [terms, columns] as panels of `width` columns each: [panel][terms][width], zeros behind the last column.
/// The room it needs is packed_size().
void pack_panels(Matrix b, Index terms, Index columns, Index width, float* packed);
Index packed_size(Index terms, Index columns, Index width);

}  // namespace linnet::kernels
