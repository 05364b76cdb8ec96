// SPDX-License-Identifier: Apache-2.0
#include "linnet/autograd/record.h"
#include "linnet/autograd/tape.h"
#include "linnet/core/op_cost.h"
#include "linnet/core/profile_impl.h"

namespace linnet::tape {

// Out of line and cold: called only while the profiler is on.
void profile_forward(Op op, std::string_view custom, const Tensor& y, std::span<const Tensor> inputs) {
  if (recording()) return;  // graph::trace runs a module for its shape, not for its result
  const auto bytes_of = [](const Tensor& t) {
    return static_cast<double>(t.size()) * static_cast<double>(size_of(t.dtype()));
  };
  std::vector<Shape> shapes;
  std::uint64_t wanted = 0;
  double read = 0.0, gradients = 0.0;
  auto* node = static_cast<Node*>(y.impl()->node.get());
  for (const Tensor& input : inputs) {
    const double bytes = input.defined() ? bytes_of(input) : 0.0;
    read += bytes;
    if (node && input.defined() && input.requires_grad()) {
      gradients += bytes;
      if (shapes.size() < 64) wanted |= std::uint64_t{1} << shapes.size();
    }
    shapes.push_back(input.defined() ? input.shape() : Shape());
  }
  const bool moved =
      inputs.empty() || !inputs[0].defined() || !(inputs[0].impl()->storage == y.impl()->storage);
  const double result = moved ? bytes_of(y) : 0.0;
  if (!moved) read = gradients = 0.0;  // the same memory under another shape
  const auto flop = [](std::int64_t count) { return 2.0 * static_cast<double>(count); };
  const std::int32_t call = profile::end_forward(
      op == Op::custom ? custom : name(op), {flop(macs(op, y.shape(), shapes)), read + result},
      {flop(node ? backward_macs(op, y.shape(), shapes, wanted) : 0), read + result + gradients});
  if (node) node->profiled = call;
}

}  // namespace linnet::tape
