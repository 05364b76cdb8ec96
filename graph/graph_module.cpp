// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/graph_module.h"

#include <limits>

#include "linnet/autograd/recorder.h"
#include "linnet/core/profile_impl.h"

namespace linnet::graph {

namespace {

/// Places among the inputs of a node of what training moves: running statistics, observed ranges.
std::span<const int> moved_inputs(const Node& node) {
  static constexpr int statistics[] = {1, 2}, range[] = {1};
  if (node.op == Op::batch_norm) return statistics;
  if (node.op == Op::fake_quant && node.inputs.size() == 2) return range;
  return {};
}

/// What a graph from a file may not ask of a module.
void check_node(const Graph& graph, const Node& node) {
  check<GraphError>(
      node.op != Op::custom, "GraphModule: ", node.custom,
      " is an op of the user, which only its own program can run. Use the module it was traced from.");
  for (int place : moved_inputs(node)) {
    const Kind kind = graph.values()[node.inputs[place]].kind;
    check<GraphError>(kind == Kind::buffer || kind == Kind::constant, "GraphModule: ", Graph::op_name(node),
                      node.op == Op::batch_norm ? " would move statistics that are no buffer."
                                                : " would move a range that is no buffer.");
  }
}

}  // namespace

GraphModule::GraphModule(Graph graph) : graph_(std::move(graph)) {
  check<GraphError>(!graph_.empty(), "GraphModule: the graph is empty. Trace a module or load one.");
  for (const Node& node : graph_.nodes()) check_node(graph_, node);

  const std::vector<Value>& values = graph_.values();
  kept_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value& value = values[i];
    if (value.kind == Kind::constant) kept_[i] = value.contents.clone();  // training may move it
    if (value.kind != Kind::parameter && value.kind != Kind::buffer) continue;
    kept_[i] = Tensor::zeros(at_batch(value.sizes, 1), value.dtype);
    if (value.kind == Kind::parameter && is_float(value.dtype)) kept_[i].set_requires_grad(true);
  }

  frozen_.resize(graph_.nodes().size());
  last_use_.assign(values.size(), -1);
  for (std::size_t i = 0; i < graph_.nodes().size(); ++i)
    for (int input : graph_.nodes()[i].inputs) last_use_[input] = static_cast<int>(i);
  last_use_[graph_.output()] = std::numeric_limits<int>::max();
}

namespace {

/// Before anything is allocated: sizes in a damaged file may be beyond all memory, contents that are there
/// are not.
Graph checked(Graph graph, const State& state) {
  std::string wrong;
  for (const Value& value : graph.values()) {
    if (value.kind != Kind::parameter && value.kind != Kind::buffer) continue;
    const StateValue* found = state.find(value.name);
    bool there = found && found->is_tensor() && found->tensor().defined();
    if (there && found->tensor().dtype() == value.dtype && found->tensor().shape() == Shape(value.sizes))
      continue;
    wrong += concat({"\n  ", value.name, ": expected ", value.dtype, " ", str(value.sizes), ", got "});
    wrong += there   ? concat({found->tensor().dtype(), " ", found->tensor().shape()})
             : found ? "no tensor"
                     : "nothing";
  }
  check<StateError>(wrong.empty(), "GraphModule: the state does not fit the graph:", wrong);
  return graph;
}

}  // namespace

GraphModule::GraphModule(Graph graph, const State& state) : GraphModule(checked(std::move(graph), state)) {
  load(state);
}

GraphModule GraphModule::from(const State& graph, const State& model) {
  Graph loaded;
  loaded.load(graph);
  return GraphModule(std::move(loaded), model);
}

void GraphModule::members(nn::Members& members) {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const Value& value = graph_.values()[i];
    if (value.kind == Kind::parameter) members.parameter(value.name.c_str(), kept_[i]);
    if (value.kind == Kind::buffer) members.buffer(value.name.c_str(), kept_[i]);
  }
}

std::string GraphModule::describe() const {
  return concat({"GraphModule of ", graph_.nodes().size(), " ops"});
}

std::int64_t GraphModule::check_inputs(std::span<const Tensor> inputs) const {
  std::vector<int> wanted = graph_.of_kind(Kind::input);
  check<ShapeError>(inputs.size() == wanted.size(), "GraphModule: expected ", wanted.size(), " inputs, got ",
                    inputs.size(), ".");
  std::int64_t batch = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph_.values()[wanted[i]];
    check<ValueError>(inputs[i].defined(), "GraphModule: input ", value.name, " is undefined.");
    const Shape& shape = inputs[i].shape();
    if (i == 0 && shape.rank() > 0) batch = shape[0];
    check<ShapeError>(shape == at_batch(value.sizes, batch), "GraphModule: input ", value.name, " must be ",
                      graph::str(value.sizes), i == 0 ? "" : concat({" with B = ", batch}), ", got ", shape,
                      ".");
    check<DTypeError>(inputs[i].dtype() == value.dtype, "GraphModule: input ", value.name, " must be ",
                      value.dtype, ", got ", inputs[i].dtype(), ". Convert with to(", value.dtype, ").");
  }
  return batch;
}

void GraphModule::freeze_buffer(const Tensor& buffer, bool on) {
  for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    const std::span<const int> moved = moved_inputs(node);
    if (!moved.empty() && kept_[node.inputs[moved[0]]].same_as(buffer)) frozen_[i] = on;
  }
  prepared_batch_ = -1;
}

namespace {

State with_frozen(const State& attributes, bool on) {
  State changed;
  for (const auto& [name, value] : attributes)
    changed.set(name, name == "frozen" ? StateValue(on ? 1 : 0) : value);
  return changed;
}

}  // namespace

void GraphModule::prepare(std::int64_t batch) {
  if (batch == prepared_batch_) return;
  std::vector<State> attributes;
  attributes.reserve(graph_.nodes().size());
  for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
    attributes.push_back(attributes_at(graph_.nodes()[i], batch));
    if (frozen_[i]) attributes.back() = with_frozen(attributes.back(), *frozen_[i]);
  }
  attributes_ = std::move(attributes);
  prepared_batch_ = batch;
}

Tensor GraphModule::run(const Node& node, const State& attributes, std::span<const Tensor> values) const {
  std::vector<Tensor> inputs;
  inputs.reserve(node.inputs.size());
  for (int input : node.inputs) inputs.push_back(values[input]);
  profile::LayerScope profiled;
  if (profile::on()) [[unlikely]] {
    if (const std::string module = graph_.module_of(node); !module.empty()) profiled.begin(module);
  }
  try {
    return apply_op(node.op, {.inputs = inputs, .attributes = attributes, .training = training()});
  } catch (Error& error) {
    std::string module = graph_.module_of(node);
    error.set_module(
        concat({module.empty() ? graph_.value_name(node.output) : module, " (", Graph::op_name(node), ")"}));
    throw;
  }
}

Tensor GraphModule::forward(const Tensor& x) { return forward(std::span<const Tensor>(&x, 1)); }

Tensor GraphModule::forward(std::span<const Tensor> inputs, const Watch& watch) {
  prepare(check_inputs(inputs));
  std::vector<Tensor> values = kept_;
  std::vector<int> places = graph_.of_kind(Kind::input);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[places[i]] = inputs[i];
    if (watch) watch(places[i], values[places[i]]);
  }

  for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    values[node.output] = run(node, attributes_[i], values);
    if (watch) watch(node.output, values[node.output]);
    for (int input : node.inputs)
      if (last_use_[input] == static_cast<int>(i)) values[input] = Tensor();
  }
  return values[graph_.output()];
}

}  // namespace linnet::graph
