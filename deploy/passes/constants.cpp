// SPDX-License-Identifier: Apache-2.0
// Constants: computing with them once and for all, and keeping each once.
#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "linnet/autograd/ops.h"
#include "linnet/autograd/recorder.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/deploy/passes/draft.h"
#include "linnet/deploy/passes/passes.h"

namespace linnet::deploy {
namespace {

using graph::Node;
using graph::Value;

/// A constant may be larger than what it is computed from, but not by so much that the file would grow.
bool is_worth_keeping(const Draft& draft, const Node& node) {
  std::int64_t read = 1 << 14;
  for (int input : node.inputs) read += 4 * draft.values()[input].contents.size();
  return Shape(draft.values()[node.output].sizes).size() <= read;
}

bool can_fold(const Draft& draft, const Node& node) {
  const graph::Sizes& sizes = draft.values()[node.output].sizes;
  // A rounded weight would lose its integers and their scale.
  return node.op != Op::custom && node.op != Op::fake_quant && !node.inputs.empty() &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](int i) { return draft.is_constant(i); }) &&
         std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size >= 0; }) &&
         graph::batch_free(node) && is_worth_keeping(draft, node);
}

std::string_view bytes_of(const Tensor& tensor) {
  return {readable<char>(tensor), static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype())};
}

}  // namespace

int fold_constants(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    if (!draft.is_live(i) || !can_fold(draft, node)) continue;
    std::vector<Tensor> inputs;
    for (int input : node.inputs) inputs.push_back(draft.values()[input].contents);
    const Tensor y = apply_op(node.op, {.inputs = inputs, .attributes = node.attributes});
    draft.replace(node.output, draft.add_constant(y.detach()));
    ++changes;
  }
  return changes;
}

int matmul_to_dense(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    if (!draft.is_live(i) || node.op != Op::matmul || !draft.is_constant(node.inputs[1])) continue;
    const Tensor weight = transpose(draft.values()[node.inputs[1]].contents).detach();
    draft.set_op(i, Op::dense, {});
    draft.set_inputs(i, {node.inputs[0], draft.add_constant(weight)});
    ++changes;
  }
  return changes;
}

int share_constants(Draft& draft) {
  std::unordered_multimap<std::size_t, int> seen;
  int changes = 0;
  for (int i = 0; i < static_cast<int>(draft.values().size()); ++i) {
    if (!draft.is_constant(i) || draft.readers(i) == 0) continue;
    const Tensor& contents = draft.values()[i].contents;
    const std::size_t hash = std::hash<std::string_view>()(bytes_of(contents));
    const auto [first, last] = seen.equal_range(hash);
    const auto same = std::find_if(first, last, [&](const auto& entry) {
      return StateValue(draft.values()[entry.second].contents) == StateValue(contents);
    });
    if (same == last) {
      seen.emplace(hash, i);
    } else {
      draft.replace(i, same->second);
      ++changes;
    }
  }
  return changes;
}

}  // namespace linnet::deploy
