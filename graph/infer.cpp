// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/infer.h"

#include <limits>

#include "linnet/graph/shape_rules_impl.h"

namespace linnet::graph {
namespace {

Shape node_shape(const Graph& graph, const Node& node, const std::vector<Shape>& shapes, std::int64_t batch) {
  const Value& output = graph.values()[node.output];
  if (node.op == Op::custom) return at_batch(output.sizes, batch);
  Rule rule = rule_of(node.op);
  LINNET_ASSERT(rule.shape);
  check<GraphError>(node.inputs.size() >= rule.least && node.inputs.size() <= rule.most, "expected ",
                    rule.least, " to ", rule.most, " inputs, got ", node.inputs.size(), ".");
  DType dtype = graph.values()[node.inputs[0]].dtype;
  check<GraphError>(output.dtype == dtype, "the result is recorded as ", output.dtype, ", the input is ",
                    dtype, ".");
  Call call{node.op, {}, attributes_at(node, batch)};
  for (int input : node.inputs) call.in.push_back(shapes[input]);
  return rule.shape(call);
}

}  // namespace

std::vector<Shape> infer_shapes(const Graph& graph, std::int64_t batch) {
  std::vector<Shape> shapes;
  shapes.reserve(graph.values().size());
  for (const Value& value : graph.values())
    shapes.push_back(value.kind == Kind::result ? Shape() : at_batch(value.sizes, batch));
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    try {
      shapes[node.output] = node_shape(graph, node, shapes, batch);
    } catch (const Error& error) {
      fail<GraphError>("graph: node ", i, " (", Graph::op_name(node), ") at batch ", batch, ": ",
                       error.what());
    }
  }
  return shapes;
}

std::int64_t macs(const Node& node, std::span<const Shape> shapes) {
  const Shape& y = shapes[node.output];
  switch (node.op) {
    case Op::matmul:
    case Op::dense:
      return product(y.size(), shapes[node.inputs[0]].back());
    case Op::conv2d:
      return product(y.size(), shapes[node.inputs[1]].product(1, 4));
    case Op::conv_transpose2d:  // every place of x meets every weight
      return product(shapes[node.inputs[0]].product(0, 3), shapes[node.inputs[1]].size());
    case Op::rnn:
    case Op::gru:
    case Op::lstm:  // every step reads all weights
      return product(shapes[node.inputs[0]].product(0, 2),
                     shapes[node.inputs[1]].size() + shapes[node.inputs[2]].size());
    default:
      return 0;
  }
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
