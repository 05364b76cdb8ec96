// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/rewrite_impl.h"

namespace linnet::compress {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

Links::Links(const Graph& graph)
    : graph_(graph), reader_(graph.values().size(), nullptr), readers_(graph.values().size(), 0) {
  for (const Node& node : graph.nodes()) {
    for (int input : node.inputs) {
      reader_[static_cast<std::size_t>(input)] = &node;
      ++readers_[static_cast<std::size_t>(input)];
    }
  }
  ++readers_[static_cast<std::size_t>(graph.output())];
}

const Node* Links::only_reader(int value) const {
  const auto place = static_cast<std::size_t>(value);
  return readers_[place] == 1 ? reader_[place] : nullptr;
}

Rewrite::Rewrite(const Graph& graph) : old_(graph), at_(graph.values().size(), -1) {
  for (std::size_t i = 0; i < at_.size() - graph.nodes().size(); ++i) at_[i] = add(graph.values()[i]);
}

int Rewrite::add(Value value) {
  values_.push_back(std::move(value));
  dropped_.push_back(false);
  return static_cast<int>(values_.size()) - 1;
}

int Rewrite::add_node(Op op, State attributes, std::vector<int> inputs, graph::Sizes sizes) {
  const DType dtype = values_[static_cast<std::size_t>(inputs[0])].dtype;
  const int result = add({Kind::result, "", dtype, std::move(sizes), {}});
  nodes_.push_back({op, "", std::move(attributes), std::move(inputs), result});
  return result;
}

int Rewrite::copy(const Node& node) {
  std::vector<int> inputs;
  for (int input : node.inputs) inputs.push_back(at(input));
  return copy(node, std::move(inputs));
}

int Rewrite::copy(const Node& node, std::vector<int> inputs) {
  const int result = add(old_.values()[static_cast<std::size_t>(node.output)]);
  nodes_.push_back({node.op, node.custom, node.attributes, std::move(inputs), result});
  put(node.output, result);
  return result;
}

void Rewrite::drop(int old) { dropped_[static_cast<std::size_t>(at(old))] = true; }

Graph Rewrite::graph() const {
  std::vector<int> place(values_.size(), -1);
  std::vector<Value> values;
  const auto keep = [&](auto&& wanted) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (dropped_[i] || !wanted(values_[i].kind)) continue;
      place[i] = static_cast<int>(values.size());
      values.push_back(values_[i]);
    }
  };
  keep([](Kind kind) { return kind == Kind::input; });
  keep([](Kind kind) { return kind == Kind::parameter || kind == Kind::buffer; });
  keep([](Kind kind) { return kind == Kind::constant; });
  keep([](Kind kind) { return kind == Kind::result; });
  std::vector<Node> nodes = nodes_;
  for (Node& node : nodes) {
    node.output = place[static_cast<std::size_t>(node.output)];
    for (int& input : node.inputs) input = place[static_cast<std::size_t>(input)];
  }
  return Graph(std::move(values), std::move(nodes), place[static_cast<std::size_t>(at(old_.output()))]);
}

std::vector<std::size_t> weight_places(Op op) {
  switch (op) {
    case Op::dense:
    case Op::conv2d:
    case Op::conv_transpose2d:
      return {1};
    case Op::rnn:
    case Op::gru:
    case Op::lstm:
      return {1, 2};
    case Op::embedding:
      return {0};
    default:
      return {};
  }
}

int parameter_behind(const Links& links, int value) {
  const auto& values = links.graph().values();
  int parameter = value;
  for (const Node* writer = links.writer(parameter);
       writer && (writer->op == Op::reshape || writer->op == Op::fake_quant);
       writer = links.writer(parameter))
    parameter = writer->inputs[0];
  const Value& found = values[static_cast<std::size_t>(parameter)];
  const Value& read = values[static_cast<std::size_t>(value)];
  const bool fits = found.kind == Kind::parameter && found.dtype == f32 && !found.sizes.empty() &&
                    !read.sizes.empty() && found.sizes[0] == read.sizes[0];
  return fits ? parameter : -1;
}

std::string layer_name(const Links& links, const Node& node) {
  for (std::size_t place : weight_places(node.op)) {
    const int parameter = parameter_behind(links, node.inputs[place]);
    if (parameter < 0) continue;
    const std::string& name = links.graph().values()[static_cast<std::size_t>(parameter)].name;
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) return name.substr(0, dot);
  }
  return Graph::op_name(node);
}

}  // namespace linnet::compress
