// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/new_head.h"

#include <algorithm>

#include "linnet/core/constraint.h"
#include "linnet/core/error.h"
#include "linnet/graph/shape_rules_impl.h"
#include "linnet/nn/init.h"

namespace linnet::graph {
namespace {

bool is_parameter(const Graph& graph, int value) { return graph.values()[value].kind == Kind::parameter; }

const Node& head_of(const Graph& graph) {
  const std::vector<Node>& nodes = graph.nodes();
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
    if (std::ranges::any_of(node->inputs, [&](int input) { return is_parameter(graph, input); }))
      return *node;
  fail<GraphError>("new head: no op of the network reads parameters.");
}

/// Its parameters must be [outputs, ...], and nobody else's.
void check_replaceable(const Graph& graph, const Node& head) {
  const bool dense = head.op == Op::dense,
             conv = head.op == Op::conv2d && head.attributes["groups"].integer() == 1;
  check<GraphError>(dense || conv, "new head: the last layer with parameters, ", graph.module_of(head), " (",
                    Graph::op_name(head), "), cannot be replaced. Only a Dense or a convolution can.");
  check<GraphError>(is_parameter(graph, head.inputs[1]),
                    "new head: the weight of the last layer is computed.");
  for (const Node& node : graph.nodes())
    for (int input : node.inputs)
      check<GraphError>(&node == &head || !is_parameter(graph, input) ||
                            std::ranges::find(head.inputs, input) == head.inputs.end(),
                        "new head: ", graph.value_name(input), " is also read by another op.");
}

/// The sizes of a result from those for batches of 2 and 3.
Sizes sizes_from(const Shape& two, const Shape& three) {
  Sizes sizes;
  for (int axis = 0; axis < two.rank(); ++axis)
    sizes.push_back(two[axis] == three[axis] ? two[axis] : two[axis] - three[axis]);
  return sizes;
}

Graph with_outputs(const Graph& graph, const Node& head, std::int64_t outputs) {
  std::vector<Value> values = graph.values();
  for (int input : head.inputs)
    if (is_parameter(graph, input)) values[input].sizes[0] = outputs;
  try {
    const std::vector<Shape> two = infer_shapes(values, graph.nodes(), 2),
                             three = infer_shapes(values, graph.nodes(), 3);
    for (const Node& node : graph.nodes())
      values[node.output].sizes = sizes_from(two[node.output], three[node.output]);
    return Graph(std::move(values), graph.nodes(), graph.output());
  } catch (const GraphError& error) {
    fail<GraphError>("new head: what follows the last layer does not take ", outputs,
                     " outputs: ", error.what());
  }
}

}  // namespace

std::vector<std::string> head_parameters(const Graph& graph) {
  std::vector<std::string> names;
  for (int input : head_of(graph).inputs)
    if (is_parameter(graph, input)) names.push_back(graph.values()[input].name);
  return names;
}

std::int64_t outputs_of(const Graph& graph) { return graph.values()[graph.output()].sizes.back(); }

GraphModule with_new_head(const GraphModule& module, std::int64_t outputs) {
  check<ValueError>(outputs >= 1, "new head: outputs must be at least 1, got ", outputs, ".");
  const Node& head = head_of(module.graph());
  check_replaceable(module.graph(), head);
  Graph graph = with_outputs(module.graph(), head, outputs);
  const std::string weight = graph.values()[head.inputs[1]].name;
  const std::vector<std::string> renewed = head_parameters(graph);
  State state;
  for (const auto& [name, value] : module.state()) {
    const Tensor& old = value.tensor();
    if (names_constraint(name) &&
        std::ranges::find(renewed, name.substr(0, name.rfind('/'))) != renewed.end())
      continue;
    if (std::ranges::find(renewed, name) == renewed.end()) {
      state.set(name, old);
      continue;
    }
    const Shape shape = old.shape().with(0, outputs);
    state.set(name,
              (name == weight ? nn::init::glorot_uniform(shape) : nn::init::zeros(shape)).to(old.dtype()));
  }
  GraphModule fresh(std::move(graph), state);
  fresh.train(module.training());
  return fresh;
}

}  // namespace linnet::graph
