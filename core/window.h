// SPDX-License-Identifier: Apache-2.0
#pragma once
// Geometry of convolution and pooling windows over [N, H, W, C].

#include <cstdint>

#include "linnet/core/shape.h"

namespace linnet {

/// A height and a width; one number means both.
struct Pair {
  std::int64_t h = 1, w = 1;
  constexpr Pair() = default;
  constexpr Pair(std::int64_t both) : h(both), w(both) {}
  constexpr Pair(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  friend constexpr bool operator==(const Pair&, const Pair&) = default;
};

/// valid: none. same: H' = ceil(H / stride), as TensorFlow: total = max((H' - 1) stride + dilated kernel - H,
/// 0), the odd one at the end. Otherwise explicit counts; Padding(1) is one on every side.
struct Padding {
  enum class Kind : std::uint8_t { given, same };
  Kind kind = Kind::given;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  constexpr Padding() = default;
  constexpr Padding(std::int64_t all) : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : top(t), bottom(b), left(l), right(r) {}
  static constexpr Padding same_size() {
    Padding p;
    p.kind = Kind::same;
    return p;
  }
  friend constexpr bool operator==(const Padding&, const Padding&) = default;
};

/// A window whose padding is resolved for one input size.
struct Window {
  Pair in, out;  ///< input and output height and width
  Pair kernel, stride, dilation;
  std::int64_t top = 0, left = 0;      ///< padding before the first row and column
  std::int64_t bottom = 0, right = 0;  ///< and after the last
};

/// Checks everything (kernel, stride, dilation >= 1; padding 0 .. dilated kernel - 1; the dilated kernel fits
/// the padded input; x has rank 4) and resolves the padding. Throws ShapeError or ValueError naming `op`.
Window make_window(const char* op, const Shape& x, Pair kernel, Pair stride, Pair dilation,
                   const Padding& padding);

/// The window of the convolution that leads back from the result of a transposed convolution over x [N, H, W,
/// C] to x: `in` is the size of the result, `out` that of x. Along each axis
///   H' = (H - 1) stride + dilation (kernel - 1) + 1 - before - after + extra,  or H stride with `same`.
/// Checks as make_window(), and 0 <= extra < stride: with more, the way back would give another size.
Window make_transposed_window(const char* op, const Shape& x, Pair kernel, Pair stride, Pair dilation,
                              const Padding& padding, Pair extra);

}  // namespace linnet
