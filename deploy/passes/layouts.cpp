// SPDX-License-Identifier: Apache-2.0
// Reshapes and transposes behind one another. A reshape's result does not depend on the shape it reads.
#include "linnet/autograd/recorder.h"
#include "linnet/deploy/passes/draft.h"
#include "linnet/deploy/passes/passes.h"

namespace linnet::deploy {
namespace {

using graph::Node;

std::vector<std::int64_t> order_of(const Node& node) {
  const auto order = integers(node.attributes, "order");
  return {order.begin(), order.end()};
}

/// The axes that have more than one element, or the batch, stay in their order.
bool only_moves_ones(const Draft& draft, const Node& node) {
  const graph::Sizes& x = draft.values()[node.inputs[0]].sizes;
  std::int64_t before = -1;
  for (std::int64_t axis : order_of(node)) {
    if (x[axis] == 1) continue;
    if (axis < before) return false;
    before = axis;
  }
  return true;
}

bool merge_with_writer(Draft& draft, std::size_t i) {
  const Node node = draft.nodes()[i];
  const int writer = draft.writer(node.inputs[0]);
  if (writer < 0 || draft.nodes()[writer].op != node.op) return false;
  const Node before = draft.nodes()[writer];
  if (node.op == Op::transpose) {  // axis k of y is axis order[k] of what stands between
    std::vector<std::int64_t> order;
    for (std::int64_t axis : order_of(node)) order.push_back(order_of(before)[axis]);
    draft.set_op(i, Op::transpose, {{"order", integers(order)}});
  }
  draft.set_inputs(i, before.inputs);
  return true;
}

}  // namespace

int merge_layouts(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    if (!draft.is_live(i) || (node.op != Op::reshape && node.op != Op::transpose)) continue;
    if (node.op == Op::transpose && only_moves_ones(draft, node)) {
      draft.set_op(i, Op::reshape, {{"shape", integers(draft.values()[node.output].sizes)}});
      ++changes;
    }
    while (merge_with_writer(draft, i)) ++changes;
  }
  return changes;
}

}  // namespace linnet::deploy
