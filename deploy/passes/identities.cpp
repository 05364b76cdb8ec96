// SPDX-License-Identifier: Apache-2.0
// Ops that give what they get.
#include <algorithm>

#include "linnet/autograd/recorder.h"
#include "linnet/deploy/passes/draft.h"
#include "linnet/deploy/passes/passes.h"

namespace linnet::deploy {
namespace {

using graph::Node;
using graph::Value;

bool all(const State& attributes, const char* name, std::int64_t wanted) {
  const auto list = integers(attributes, name);
  return std::all_of(list.begin(), list.end(), [=](std::int64_t entry) { return entry == wanted; });
}

bool is_filled(const Value& value, float with) {
  if (!value.contents.defined() || value.dtype != f32) return false;
  const auto numbers = value.contents.data<float>();
  return std::all_of(numbers.begin(), numbers.end(), [=](float number) { return number == with; });
}

bool keeps_order(const State& attributes) {
  const auto order = integers(attributes, "order");
  return std::is_sorted(order.begin(), order.end());
}

/// relu of what is not negative, relu6 of what is in [0, 6].
bool limits_nothing(const Draft& draft, const Node& node) {
  const int writer = draft.writer(node.inputs[0]);
  if (writer < 0) return false;
  const Op before = draft.nodes()[writer].op;
  const bool unit = before == Op::sigmoid || before == Op::softmax || before == Op::relu6;
  return unit || (node.op == Op::relu && (before == Op::relu || before == Op::abs));
}

/// The argument that a node gives back; -1 when it does something.
int same_as(const Draft& draft, const Node& node) {
  const std::vector<Value>& values = draft.values();
  const State& a = node.attributes;
  const auto same_sizes = [&](int input) { return values[input].sizes == values[node.output].sizes; };
  const auto neutral = [&](int x, int other, float number) {
    return same_sizes(node.inputs[x]) && is_filled(values[node.inputs[other]], number) ? node.inputs[x] : -1;
  };
  const int x = node.inputs.empty() ? -1 : node.inputs[0];
  switch (node.op) {
    case Op::dropout:
    case Op::spatial_dropout:
    case Op::gaussian_noise:
      return x;
    case Op::reshape:
    case Op::slice:  // by a step of 1 from the beginning, or nothing would be left to keep the size
      return same_sizes(x) ? x : -1;
    case Op::transpose:
      return keeps_order(a) ? x : -1;
    case Op::pad:
      return all(a, "before", 0) && all(a, "after", 0) ? x : -1;
    case Op::concat:
      return node.inputs.size() == 1 ? x : -1;
    case Op::max_pool2d:
    case Op::avg_pool2d:
      return all(a, "kernel", 1) && all(a, "stride", 1) && same_sizes(x) ? x : -1;
    case Op::upsample2d:
      return a["mode"].text() == "nearest" && same_sizes(x) ? x : -1;
    case Op::relu:
    case Op::relu6:
      return limits_nothing(draft, node) ? x : -1;
    case Op::mul:
      return std::max(neutral(0, 1, 1.0f), neutral(1, 0, 1.0f));
    case Op::add:
      return std::max(neutral(0, 1, 0.0f), neutral(1, 0, 0.0f));
    case Op::div:
      return neutral(0, 1, 1.0f);
    case Op::sub:
      return neutral(0, 1, 0.0f);
    default:
      return -1;
  }
}

}  // namespace

int drop_identities(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    if (!draft.is_live(i)) continue;
    const Node& node = draft.nodes()[i];
    const int same = same_as(draft, node);
    if (same < 0) continue;
    draft.replace(node.output, same);
    ++changes;
  }
  return changes;
}

}  // namespace linnet::deploy
