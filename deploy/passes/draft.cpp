// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/passes/draft.h"

namespace linnet::deploy {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

Draft::Draft(const Graph& graph, const State& parameters)
    : values_(graph.values()), nodes_(graph.nodes()), output_(graph.output()) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    Value& value = values_[i];
    if ((value.kind != Kind::parameter && value.kind != Kind::buffer) || readers(static_cast<int>(i)) == 0)
      continue;
    const Tensor& contents = parameters[value.name].tensor();
    const Shape shape(value.sizes);
    check<GraphError>(contents.defined() && contents.dtype() == value.dtype && contents.shape() == shape,
                      "deploy: ", value.name, " must be ", value.dtype, " ", shape, ", got ",
                      contents.defined() ? concat({contents.dtype(), " ", contents.shape()}) : "nothing",
                      ".");
    value = {Kind::constant, "", value.dtype, value.sizes, contents.detach()};
  }
}

Graph Draft::graph() const {
  std::vector<int> place(values_.size(), -1);
  std::vector<Value> values;
  const auto keep = [&](int value) {
    if (place[value] >= 0) return;
    place[value] = static_cast<int>(values.size());
    values.push_back(values_[value]);
  };
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (values_[i].kind == Kind::input) keep(static_cast<int>(i));
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (is_live(i)) nodes.push_back(nodes_[i]);
  for (const Node& node : nodes)
    for (int input : node.inputs)
      if (is_constant(input)) keep(input);
  if (output_ >= 0 && is_constant(output_)) keep(output_);
  for (Node& node : nodes) {
    keep(node.output);
    node.output = place[node.output];
    for (int& input : node.inputs) input = place[input];
  }
  return Graph(std::move(values), std::move(nodes), output_ < 0 ? -1 : place[output_]);
}

void Draft::index() const {
  if (indexed_) return;
  live_.assign(nodes_.size(), false);
  writer_.assign(values_.size(), -1);
  readers_.assign(values_.size(), 0);
  one_reader_.assign(values_.size(), -1);
  if (output_ >= 0) readers_[output_] = 1;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    writer_[nodes_[i].output] = static_cast<int>(i);
    live_[i] = readers_[nodes_[i].output] > 0;
    if (!live_[i]) continue;
    for (int input : nodes_[i].inputs) {
      ++readers_[input];
      one_reader_[input] = static_cast<int>(i);
    }
  }
  indexed_ = true;
}

bool Draft::is_live(std::size_t node) const {
  index();
  return live_[node];
}

int Draft::writer(int value) const {
  index();
  return writer_[value];
}

int Draft::readers(int value) const {
  index();
  return readers_[value];
}

int Draft::only_reader(int value) const { return readers(value) == 1 ? one_reader_[value] : -1; }

int Draft::add_constant(const Tensor& contents) {
  const Shape& shape = contents.shape();
  values_.push_back({Kind::constant, "", contents.dtype(), {shape.begin(), shape.end()}, contents});
  indexed_ = false;
  return static_cast<int>(values_.size()) - 1;
}

int Draft::insert(std::size_t at, Op op, std::vector<int> inputs, int like) {
  const int result = static_cast<int>(values_.size());
  values_.push_back({Kind::result, "", values_[like].dtype, values_[like].sizes, {}});
  nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(at), {op, "", {}, std::move(inputs), result});
  indexed_ = false;
  return result;
}

void Draft::replace(int value, int by) {
  for (Node& node : nodes_)
    for (int& input : node.inputs)
      if (input == value) input = by;
  if (output_ == value) output_ = by;
  indexed_ = false;
}

void Draft::set_inputs(std::size_t node, std::vector<int> inputs) {
  nodes_[node].inputs = std::move(inputs);
  indexed_ = false;
}

void Draft::set_op(std::size_t node, Op op, State attributes) {
  nodes_[node].op = op;
  nodes_[node].attributes = std::move(attributes);
}

void Draft::set_order(const std::vector<std::size_t>& nodes) {
  std::vector<Node> ordered;
  for (std::size_t node : nodes) ordered.push_back(std::move(nodes_[node]));
  nodes_ = std::move(ordered);
  indexed_ = false;
}

}  // namespace linnet::deploy
