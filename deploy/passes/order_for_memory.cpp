// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "linnet/core/find_op.h"
#include "linnet/deploy/order.h"
#include "linnet/deploy/passes/draft.h"
#include "linnet/deploy/passes/passes.h"
#include "linnet/graph/infer.h"

namespace linnet::deploy {
namespace {

bool works_in_place(Op op) {
  switch (op) {
    case Op::reshape:
    case Op::softmax:
    case Op::log_softmax:
    case Op::batch_norm:
    case Op::group_norm:
    case Op::layer_norm:
      return true;
    default:
      return op < Op::matmul;  // elementwise
  }
}

/// By value: it needs no memory of its own while the model runs. Constants, and what is made of nothing else.
std::vector<bool> fixed_values(const Draft& draft) {
  std::vector<bool> fixed(draft.values().size());
  for (std::size_t i = 0; i < fixed.size(); ++i) fixed[i] = draft.is_constant(static_cast<int>(i));
  for (const graph::Node& node : draft.nodes())
    fixed[node.output] = !node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(),
                                                             [&](int input) { return fixed[input]; });
  return fixed;
}

/// The runtime writes onto the first operand: of a sum or product that is the one which dies.
int put_dying_operands_first(Draft& draft, const std::vector<bool>& fixed) {
  std::vector<std::size_t> last(draft.values().size(), 0);
  for (std::size_t i = 0; i < draft.nodes().size(); ++i)
    for (int input : draft.nodes()[i].inputs) last[input] = i;
  int swapped = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const graph::Node node = draft.nodes()[i];
    if (node.op != Op::add && node.op != Op::mul) continue;
    const auto dies = [&](int value) {
      return !fixed[value] && value != draft.output() && last[value] == i &&
             draft.values()[value].sizes == draft.values()[node.output].sizes;
    };
    if (dies(node.inputs[0]) || !dies(node.inputs[1])) continue;
    draft.set_inputs(i, {node.inputs[1], node.inputs[0]});
    ++swapped;
  }
  return swapped;
}

}  // namespace

int order_for_memory(Draft& draft) {
  OrderProblem problem;
  const std::vector<bool> fixed = fixed_values(draft);
  std::vector<std::size_t> places, nodes;
  for (const graph::Value& value : draft.values())
    problem.bytes.push_back(graph::at_batch(value.sizes, 1).size() *
                            static_cast<std::int64_t>(size_of(value.dtype)));
  problem.output = draft.output();
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    if (!draft.is_live(i)) continue;
    const graph::Node& node = draft.nodes()[i];
    if (fixed[node.output]) {
      nodes.push_back(i);
      continue;
    }
    OrderedOp op{{}, node.output, works_in_place(node.op)};
    for (int input : node.inputs)
      if (!fixed[input]) op.reads.push_back(input);
    problem.ops.push_back(std::move(op));
    places.push_back(i);
  }
  const std::vector<int> order = best_order(problem);
  int moved = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    moved += order[i] != static_cast<int>(i);
    nodes.push_back(places[order[i]]);
  }
  draft.set_order(nodes);  // also without the nodes that nobody needs any more
  return moved + put_dying_operands_first(draft, fixed);
}

}  // namespace linnet::deploy
