// SPDX-License-Identifier: Apache-2.0
#pragma once
// The values that are no numbers.

#include <limits>

namespace linnet::test {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace linnet::test
