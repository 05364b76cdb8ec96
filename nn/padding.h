// SPDX-License-Identifier: Apache-2.0
#pragma once
// Paddings by name, for the options of layers with windows: {.padding = nn::same}.

#include <string>

#include "linnet/core/window.h"

namespace linnet::nn {

inline constexpr Padding valid{};                      ///< none
inline constexpr Padding same = Padding::same_size();  ///< output size = ceil(input size / stride)

/// Padding of sequences [N, T, C]: valid, same, one number for both ends, or {before, after}.
struct Padding1D {
  Padding sides;  ///< of the sequence as an image [N, 1, T, C]: left is before, right is after
  constexpr Padding1D(std::int64_t both) : Padding1D(both, both) {}
  constexpr Padding1D(std::int64_t before, std::int64_t after) : sides(0, 0, before, after) {}
  constexpr Padding1D(const Padding& p)
      : sides(p.kind == Padding::Kind::same ? p : Padding(0, 0, p.left, p.right)) {}
};

/// "3x5".
std::string describe(const Pair& pair);
/// "same", "1" on all sides, or "1/2/0/0" (top/bottom/left/right).
std::string describe(const Padding& padding);

/// "same", "1" at both ends, or "2/0" (before/after).
std::string describe(const Padding1D& padding);
/// ", kernel 3x3, stride 2x2, dilation 2x2, padding same" without what is 1 or valid.
std::string describe_window(const Pair& kernel, const Pair& stride, const Pair& dilation,
                            const Padding& padding);
/// The same of a sequence: ", kernel 3, padding 2/0".
std::string describe_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                            const Padding1D& padding);

/// The checks that need no input: sizes of at least 1 and padding that is not negative. ValueError names the
/// layer.
void check_window(const char* layer, const Pair& kernel, const Pair& stride, const Pair& dilation,
                  const Padding& padding);
void check_window(const char* layer, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                  const Padding1D& padding);

}  // namespace linnet::nn
