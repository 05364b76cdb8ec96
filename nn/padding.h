// SPDX-License-Identifier: Apache-2.0
#pragma once
// Paddings by name, for the options of layers with windows: {.padding = nn::same}.

#include <string>

#include "linnet/core/window.h"

namespace linnet::nn {

inline constexpr Padding valid{};                      ///< none
inline constexpr Padding same = Padding::same_size();  ///< output size = ceil(input size / stride)

/// "3x5".
std::string describe(const Pair& pair);
/// "same", "1" on all sides, or "1/2/0/0" (top/bottom/left/right).
std::string describe(const Padding& padding);

/// The checks that need no input: sizes of at least 1 and padding that is not negative. ValueError names the
/// layer.
void check_window(const char* layer, const Pair& kernel, const Pair& stride, const Pair& dilation,
                  const Padding& padding);

}  // namespace linnet::nn
