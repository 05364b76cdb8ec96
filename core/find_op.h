// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ops by name, for what is read from files.

#include <optional>
#include <string_view>

#include "linnet/core/op.h"

namespace linnet {

/// Nothing for a name that no op has.
std::optional<Op> find_op(std::string_view name);
/// Elementwise, of one tensor: a row of unary.def.
constexpr bool is_unary(Op op) { return op < Op::add; }
/// Draws random numbers in training, and passes x on otherwise.
constexpr bool is_noise(Op op) {
  return op == Op::dropout || op == Op::spatial_dropout || op == Op::gaussian_noise;
}

}  // namespace linnet
