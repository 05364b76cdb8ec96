// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/op.h"

namespace linnet {

std::string_view name(Op op) {
  static constexpr std::string_view names[] = {
#define UNARY(name, ...) #name,
#define UNARY1(name, ...) #name,
#define UNARY2(name, ...) #name,
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, ...) #name,
#include "linnet/core/ops/binary.def"
#undef BINARY
#define STRUCTURED(name, ...) #name,
#include "linnet/core/ops/structured.def"
#undef STRUCTURED
      "custom"};
  static_assert(sizeof names / sizeof *names == kOps + 1);
  return names[static_cast<int>(op)];
}

}  // namespace linnet
