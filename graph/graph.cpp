// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/graph.h"

#include <algorithm>
#include <unordered_set>

#include "linnet/core/find_op.h"
#include "linnet/graph/attributes.h"
#include "linnet/graph/infer.h"

namespace linnet::graph {
namespace {

constexpr std::size_t kMostValues = 1 << 20;

bool is_named(Kind kind) { return kind == Kind::input || kind == Kind::parameter || kind == Kind::buffer; }

/// Inputs, then parameters and buffers as they come, constants, results.
int group_of(Kind kind) {
  constexpr int groups[] = {0, 1, 1, 2, 3};
  return groups[static_cast<int>(kind)];
}

void check_value(const std::vector<Value>& values, std::size_t place,
                 std::unordered_set<std::string>& names) {
  const Value& value = values[place];
  std::string where = concat({"graph: value ", place});
  if (is_named(value.kind)) {
    check<GraphError>(!value.name.empty() && value.name.size() <= 1024, where,
                      " has no name, or one beyond 1024 characters.");
    where += concat({" (", value.name, ")"});
    check<GraphError>(names.insert(value.name).second, where, ": the name is taken twice.");
  } else {
    check<GraphError>(value.name.empty(), where, " is a ", kind_name(value.kind), " and cannot have a name.");
  }
  check<GraphError>(value.sizes.size() <= Shape::kMaxRank, where, " has ", value.sizes.size(),
                    " axes. At most 6 are possible.");
  bool fixed = value.kind == Kind::parameter || value.kind == Kind::buffer || value.kind == Kind::constant;
  for (std::int64_t size : value.sizes)
    check<GraphError>(size <= kLargestSize && size >= (fixed ? 0 : -kLargestSize), where,
                      " has a bad size: ", size, ".");
  if (value.kind == Kind::input)
    check<GraphError>(!value.sizes.empty() && value.sizes[0] == -1, where,
                      ": axis 0 of an input is the batch, got ", str(value.sizes), ".");
  check<GraphError>(value.contents.defined() == (value.kind == Kind::constant), where,
                    ": constants have contents, other values have none.");
  if (value.kind == Kind::constant)
    check<GraphError>(value.contents.shape() == Shape(value.sizes) && value.contents.dtype() == value.dtype,
                      where, ": contents are ", value.contents.dtype(), " ", value.contents.shape(),
                      ", expected ", value.dtype, " ", str(value.sizes), ".");
}

void check_values(const std::vector<Value>& values) {
  check<GraphError>(values.size() <= kMostValues, "graph: ", values.size(), " values. At most ", kMostValues,
                    " are possible.");
  std::unordered_set<std::string> names;
  int group = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Kind kind = values[i].kind;
    check<GraphError>(
        group_of(kind) >= group, "graph: value ", i, " (", kind_name(kind),
        ") is out of order. Inputs come first, then parameters and buffers, constants, results.");
    group = group_of(kind);
    check_value(values, i, names);
  }
}

void check_nodes(const std::vector<Value>& values, const std::vector<Node>& nodes) {
  int count = static_cast<int>(values.size());
  int next = count - static_cast<int>(nodes.size());  // results are the last values, one a node, in order
  for (std::size_t i = 0; i < nodes.size(); ++i, ++next) {
    const Node& node = nodes[i];
    check<GraphError>(static_cast<int>(node.op) <= kOps, "graph: node ", i, " has an unknown op.");
    std::string where = concat({"graph: node ", i, " (", Graph::op_name(node), ")"});
    check<GraphError>(next >= 0 && node.output == next && values[next].kind == Kind::result, where,
                      " writes value ", node.output,
                      ". Every result is written once, by the nodes in order.");
    check<GraphError>((node.op == Op::custom) != node.custom.empty(), where,
                      ": exactly a user's op has a name of its own.");
    check<GraphError>(node.inputs.size() <= kMostValues, where, " reads too many values.");
    for (int input : node.inputs)
      check<GraphError>(input >= 0 && input < next, where, " reads value ", input,
                        ", which is not written before it.");
    check_attributes(where, node.op, node.attributes);
  }
  check<GraphError>(next == count && (nodes.size() == values.size() || count == 0 ||
                                      values[values.size() - nodes.size() - 1].kind != Kind::result),
                    "graph: a result is written by no node.");
}

/// The recorded shapes and types must be those that the ops give, for two batch sizes.
void check_shapes(const Graph& graph) {
  for (std::int64_t batch : {2, 3}) {
    std::vector<Shape> shapes = infer_shapes(graph, batch);
    for (const Node& node : graph.nodes()) {
      Shape recorded = at_batch(graph.values()[node.output].sizes, batch);
      check<GraphError>(shapes[node.output] == recorded, "graph: ", Graph::op_name(node), " gives ",
                        shapes[node.output], " for batch ", batch, ", recorded is ", recorded, ".");
    }
  }
}

}  // namespace

const char* kind_name(Kind kind) {
  constexpr const char* names[] = {"input", "parameter", "buffer", "constant", "result"};
  return names[static_cast<int>(kind)];
}

Shape at_batch(const Sizes& sizes, std::int64_t batch) {
  Sizes fixed;
  for (std::int64_t size : sizes) fixed.push_back(size_at_batch(size, batch));
  return Shape(fixed);
}

std::string str(const Sizes& sizes) {
  std::string all;
  for (std::int64_t size : sizes) {
    if (!all.empty()) all += ", ";
    all += size >= 0 ? std::to_string(size) : size == -1 ? "B" : std::to_string(-size) + "B";
  }
  return "[" + all + "]";
}

Graph::Graph(std::vector<Value> values, std::vector<Node> nodes, int output)
    : values_(std::move(values)), nodes_(std::move(nodes)), output_(output) {
  try {
    check_values(values_);
    check_nodes(values_, nodes_);
    check<GraphError>(
        values_.empty() ? output_ == -1 : output_ >= 0 && output_ < static_cast<int>(values_.size()),
        "graph: the output is value ", output_, " of ", values_.size(), ".");
    check_shapes(*this);
  } catch (const ShapeError& error) {
    fail<GraphError>("graph: ", error.what());
  }
}

std::vector<int> Graph::of_kind(Kind kind) const {
  std::vector<int> places;
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (values_[i].kind == kind) places.push_back(static_cast<int>(i));
  return places;
}

const Node* Graph::writer(int value) const {
  const int first = static_cast<int>(values_.size() - nodes_.size());
  return value < first ? nullptr : &nodes_[static_cast<std::size_t>(value - first)];
}

std::int64_t Graph::parameter_count() const {
  std::int64_t count = 0;
  for (const Value& value : values_)
    if (value.kind == Kind::parameter) count += Shape(value.sizes).size();
  return count;
}

std::string Graph::op_name(const Node& node) {
  return node.op == Op::custom ? node.custom : std::string(name(node.op));
}

std::string Graph::module_of(const Node& node) const {
  for (int input : node.inputs) {
    if (values_[input].kind != Kind::parameter) continue;
    std::size_t dot = values_[input].name.rfind('.');
    return dot == std::string::npos ? std::string() : values_[input].name.substr(0, dot);
  }
  return {};
}

std::string Graph::value_name(int value) const {
  return values_[value].name.empty() ? concat({"%", value}) : values_[value].name;
}

std::string Graph::str() const {
  std::string all = concat({"graph: ", nodes_.size(), " nodes, ", parameter_count(), " parameters\n"});
  for (std::size_t i = 0; i < values_.size() - nodes_.size(); ++i) {
    const Value& value = values_[i];
    all += concat({"  ", kind_name(value.kind), " ", value_name(static_cast<int>(i)), " ",
                   graph::str(value.sizes), " ", value.dtype, "\n"});
  }
  for (const Node& node : nodes_) {
    std::string inputs;
    for (int input : node.inputs) inputs += (inputs.empty() ? "" : ", ") + value_name(input);
    std::string attributes = attributes_str(node.op, node.attributes);
    all += concat({"  ", value_name(node.output), " = ", op_name(node), "(", inputs, ")",
                   attributes.empty() ? "" : " ", attributes, " -> ", graph::str(values_[node.output].sizes),
                   "\n"});
  }
  return all + concat({"  output ", output_ < 0 ? "none" : value_name(output_), "\n"});
}

State attributes_at(const Node& node, std::int64_t batch) {
  return map_sizes(node.op, node.attributes, [batch](std::string_view, std::size_t, std::int64_t size) {
    return size_at_batch(size, batch);
  });
}

bool batch_free(const Node& node) {
  bool free = true;
  map_sizes(node.op, node.attributes, [&free](std::string_view, std::size_t, std::int64_t size) {
    free = free && size >= 0;
    return size;
  });
  return free;
}

Graph without_dead_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.values().size(), false);
  if (graph.output() >= 0) needed[graph.output()] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    // These draw random numbers or move buffers, used or not.
    if (is_noise(node->op) || node->op == Op::batch_norm) needed[node->output] = true;
    if (!needed[node->output]) continue;
    for (int input : node->inputs) needed[input] = true;
  }
  std::vector<int> place(graph.values().size(), -1);
  std::vector<Value> values;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const Value& value = graph.values()[i];
    if (!needed[i] && !is_named(value.kind)) continue;
    place[i] = static_cast<int>(values.size());
    values.push_back(value);
  }
  std::vector<Node> nodes;
  for (const Node& node : graph.nodes()) {
    if (!needed[node.output]) continue;
    nodes.push_back(node);
    nodes.back().output = place[node.output];
    for (int& input : nodes.back().inputs) input = place[input];
  }
  return Graph(std::move(values), std::move(nodes), graph.output() < 0 ? -1 : place[graph.output()]);
}

}  // namespace linnet::graph
