// SPDX-License-Identifier: Apache-2.0
#pragma once
// Walking several operands of one shape whose axes advance by different strides, 0 for a repeated axis.

#include <algorithm>
#include <array>
#include <cstdint>

#include "linnet/core/parallel.h"
#include "linnet/core/shape.h"

namespace linnet::kernels {

/// About how many elements a tile of a parallel loop has: a fact of the shape, never of the threads.
inline constexpr std::int64_t kTileElements = 16384;

/// body(begin, count) for consecutive parts of n elements.
template <class Body>
void for_tiles(std::int64_t n, std::int64_t cost_per_element, Body body) {
  if (n <= kTileElements) return body(std::int64_t{0}, n);
  parallel_for((n + kTileElements - 1) / kTileElements, n * cost_per_element, [&](std::int64_t tile) {
    const std::int64_t begin = tile * kTileElements;
    body(begin, std::min(kTileElements, n - begin));
  });
}

/// body(first, last) for consecutive groups of rows of n elements each.
template <class Body>
void for_row_tiles(std::int64_t rows, std::int64_t n, std::int64_t cost_per_element, Body body) {
  const std::int64_t group = std::max<std::int64_t>(1, kTileElements / std::max<std::int64_t>(1, n));
  if (rows <= group) return body(std::int64_t{0}, rows);
  parallel_for((rows + group - 1) / group, rows * n * cost_per_element,
               [&](std::int64_t tile) { body(tile * group, std::min(rows, (tile + 1) * group)); });
}

/// Axes, outermost first, with a stride for each of K operands. Axes of size 1 vanish, and an axis that
/// continues the one before it in every operand is merged into it. There are always at least two axes.
template <int K>
struct LoopNest {
  using Strides = std::array<std::int64_t, K>;
  int rank = 0;
  std::array<std::int64_t, Shape::kMaxRank + 2> size{};
  std::array<Strides, Shape::kMaxRank + 2> stride{};

  void add(std::int64_t axis_size, const Strides& axis_stride) {
    if (axis_size == 1) return;
    if (rank > 0) {
      bool continues = true;
      for (int k = 0; k < K; ++k) continues &= stride[rank - 1][k] == axis_stride[k] * axis_size;
      if (continues) {
        size[rank - 1] *= axis_size;
        stride[rank - 1] = axis_stride;
        return;
      }
    }
    size[rank] = axis_size;
    stride[rank++] = axis_stride;
  }

  /// To be called after the last add().
  void finish() {
    for (; rank < 2; ++rank) {
      std::copy_backward(size.begin(), size.begin() + rank, size.begin() + rank + 1);
      std::copy_backward(stride.begin(), stride.begin() + rank, stride.begin() + rank + 1);
      size[0] = 1;
      stride[0] = {};
    }
  }

  std::int64_t columns() const { return size[rank - 1]; }
  std::int64_t rows() const {
    std::int64_t n = 1;
    for (int i = 0; i + 1 < rank; ++i) n *= size[i];
    return n;
  }

  /// body(offsets, rows, row) for the rows [first, last) in runs along the second axis from the end:
  /// `offsets` is where the run starts in each operand, `row` its number.
  template <class Body>
  void for_runs(std::int64_t first, std::int64_t last, Body body) const {
    const std::int64_t run_length = size[rank - 2];
    for (std::int64_t row = first; row < last;) {
      const std::int64_t run = std::min(last - row, run_length - row % run_length);
      Strides offsets{};
      std::int64_t rest = row;
      for (int i = rank - 2; i >= 0; --i) {
        for (int k = 0; k < K; ++k) offsets[k] += rest % size[i] * stride[i][k];
        rest /= size[i];
      }
      body(offsets, run, row);
      row += run;
    }
  }
};

/// Row-major strides of `x` aligned to the last axes of `y`: 0 where x is repeated.
inline std::array<std::int64_t, Shape::kMaxRank> broadcast_strides(const Shape& x, const Shape& y) {
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::int64_t step = 1;
  for (int i = x.rank() - 1, j = y.rank() - 1; i >= 0; --i, --j) {
    strides[j] = x[i] == 1 ? 0 : step;
    step *= x[i];
  }
  return strides;
}

}  // namespace linnet::kernels
