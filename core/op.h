// SPDX-License-Identifier: Apache-2.0
#pragma once
// The list of ops. Every one is a row in core/ops/*.def; the tests walk this enum.

#include <cstdint>
#include <string_view>

namespace linnet {

enum class Op : std::uint16_t {
#define UNARY(name, ...) name,
#define UNARY1(name, ...) name,
#define UNARY2(name, ...) name,
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, ...) name,
#include "linnet/core/ops/binary.def"
#undef BINARY
#define STRUCTURED(name, ...) name,
#include "linnet/core/ops/structured.def"
#undef STRUCTURED
  custom  ///< an op of the user, recorded under its own name
};

inline constexpr int kOps = static_cast<int>(Op::custom);

std::string_view name(Op op);

}  // namespace linnet
