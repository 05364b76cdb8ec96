// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/op.h"

#include "linnet/core/find_op.h"

namespace linnet {
namespace {

struct Row {
  std::string_view name, doc;
  Lowering lowering;
};

constexpr Row kRows[] = {
#define UNARY(name, value, derivative, needs, low, high, doc, lowering) {#name, doc, Lowering::lowering},
#define UNARY1(name, p, p_default, value, derivative, needs, low, high, doc, lowering) \
  {#name, doc, Lowering::lowering},
#define UNARY2(name, p, q, p_default, q_default, value, derivative, needs, low, high, doc, lowering) \
  {#name, doc, Lowering::lowering},
#include "linnet/core/ops/unary.def"
#undef UNARY
#undef UNARY1
#undef UNARY2
#define BINARY(name, value, da, db, needs, low, high, doc, lowering) {#name, doc, Lowering::lowering},
#include "linnet/core/ops/binary.def"
#undef BINARY
#define STRUCTURED(name, doc, lowering) {#name, doc, Lowering::lowering},
#include "linnet/core/ops/structured.def"
#undef STRUCTURED
    {"custom", "", Lowering::NOT_YET}};
static_assert(sizeof kRows / sizeof *kRows == kOps + 1);

const Row& row(Op op) { return kRows[static_cast<int>(op)]; }

}  // namespace

std::string_view name(Op op) { return row(op).name; }
std::optional<Op> find_op(std::string_view name) {
  for (int i = 0; i < kOps; ++i)
    if (kRows[i].name == name) return static_cast<Op>(i);
  return {};
}
std::string_view doc(Op op) { return row(op).doc; }
Lowering lowering(Op op) { return row(op).lowering; }

std::string_view name(Lowering lowering) {
  switch (lowering) {
    case Lowering::RUNTIME:
      return "runtime";
    case Lowering::FOLDED:
      return "folded";
    case Lowering::TRAINING_ONLY:
      return "training only";
    case Lowering::NOT_YET:
      break;
  }
  return "not yet lowered";
}

}  // namespace linnet
