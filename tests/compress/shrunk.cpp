// SPDX-License-Identifier: Apache-2.0
#include "shrunk.h"

#include <map>

namespace linnet::test {

using compress::Kept;
using compress::KeptPlaces;

Tensor zeroed(const Tensor& x, const KeptPlaces& kept, int axis) {
  Tensor y = x.clone();
  const std::vector<std::int64_t>& places = kept.axes[static_cast<std::size_t>(axis)];
  if (places.empty()) return y;
  const std::int64_t inner = x.shape().product(axis + 1, x.rank());
  std::vector<bool> stays(static_cast<std::size_t>(x.dim(axis)), false);
  for (const std::int64_t place : places) stays[static_cast<std::size_t>(place)] = true;
  dispatch(x.dtype(), [&](auto zero) {
    auto values = y.mutable_data<decltype(zero)>();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!stays[i / static_cast<std::size_t>(inner) % stays.size()]) values[i] = zero;
  });
  return y;
}

graph::GraphModule masked(const graph::GraphModule& large, const Kept& kept) {
  State state;
  NamedTensors parameters = large.parameters();
  for (const auto& [name, value] : large.state()) {
    const auto found = kept.find(name);
    bool parameter = false;
    for (const NamedTensor& named : parameters) parameter = parameter || named.first == name;
    state.set(name, found == kept.end() || !parameter ? value.tensor().clone()
                                                      : zeroed(value.tensor(), found->second, 0));
  }
  return graph::GraphModule(large.graph(), state);
}

graph::GraphModule unread(const graph::GraphModule& large, const Kept& kept) {
  std::map<std::string, int> columns;  // axis of the inputs of a weight
  for (const graph::Node& node : large.graph().nodes()) {
    const bool dense =
        node.op == Op::dense || node.op == Op::rnn || node.op == Op::gru || node.op == Op::lstm;
    if (dense || node.op == Op::conv2d || node.op == Op::conv_transpose2d)
      columns[large.graph().values()[node.inputs[1]].name] = dense ? 1 : 3;
  }
  State state;
  for (const auto& [name, value] : large.state()) {
    const auto found = kept.find(name);
    const bool cut = found != kept.end() && columns.contains(name);
    state.set(name, cut ? zeroed(value.tensor(), found->second, columns[name]) : value.tensor().clone());
  }
  return graph::GraphModule(large.graph(), state);
}

}  // namespace linnet::test
