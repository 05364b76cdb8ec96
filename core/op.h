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

/// The value in one line, with shapes for ops on whole tensors. Empty for Op::custom.
std::string_view doc(Op op);

/// How an op gets into an inference build.
enum class Lowering : std::uint8_t {
  RUNTIME,        ///< the runtime has a kernel for it
  FOLDED,         ///< the exporter removes it
  TRAINING_ONLY,  ///< it has no meaning there
  NOT_YET         ///< the exporter refuses it
};
Lowering lowering(Op op);
/// "runtime", "folded", "training only", "not yet lowered".
std::string_view name(Lowering lowering);

}  // namespace linnet
