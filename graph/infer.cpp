// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/infer.h"

#include <limits>

#include "linnet/core/op_cost.h"
#include "linnet/graph/shape_rules_impl.h"

namespace linnet::graph {
namespace {

Shape node_shape(const std::vector<Value>& values, const Node& node, const std::vector<Shape>& shapes,
                 std::int64_t batch) {
  const Value& output = values[node.output];
  if (node.op == Op::custom) return at_batch(output.sizes, batch);
  Rule rule = rule_of(node.op);
  LINNET_ASSERT(rule.shape);
  check<GraphError>(node.inputs.size() >= rule.least && node.inputs.size() <= rule.most, "expected ",
                    rule.least, " to ", rule.most, " inputs, got ", node.inputs.size(), ".");
  DType dtype = values[node.inputs[0]].dtype;
  check<GraphError>(output.dtype == dtype, "the result is recorded as ", output.dtype, ", the input is ",
                    dtype, ".");
  Call call{node.op, {}, attributes_at(node, batch)};
  for (int input : node.inputs) call.in.push_back(shapes[input]);
  return rule.shape(call);
}

}  // namespace

std::vector<Shape> infer_shapes(const Graph& graph, std::int64_t batch) {
  return infer_shapes(graph.values(), graph.nodes(), batch);
}

std::vector<Shape> infer_shapes(const std::vector<Value>& values, const std::vector<Node>& nodes,
                                std::int64_t batch) {
  std::vector<Shape> shapes;
  shapes.reserve(values.size());
  for (const Value& value : values)
    shapes.push_back(value.kind == Kind::result ? Shape() : at_batch(value.sizes, batch));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    try {
      shapes[node.output] = node_shape(values, node, shapes, batch);
    } catch (const Error& error) {
      fail<GraphError>("graph: node ", i, " (", Graph::op_name(node), ") at batch ", batch, ": ",
                       error.what());
    }
  }
  return shapes;
}

std::int64_t macs(const Node& node, std::span<const Shape> shapes) {
  std::vector<Shape> inputs;
  for (int input : node.inputs) inputs.push_back(shapes[input]);
  return linnet::macs(node.op, shapes[node.output], inputs);
}

std::int64_t macs(const Graph& graph, std::int64_t batch) {
  std::vector<Shape> shapes = infer_shapes(graph, batch);
  std::int64_t total = 0;
  for (const Node& node : graph.nodes())
    if (__builtin_add_overflow(total, macs(node, shapes), &total))
      return std::numeric_limits<std::int64_t>::max();
  return total;
}

}  // namespace linnet::graph
