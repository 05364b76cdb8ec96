// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/lower.h"

#include <algorithm>

#include "linnet/deploy/deploy.h"
#include "linnet/graph/infer.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

std::uint16_t opcode_of(Op op) {
  switch (op) {
    case Op::dense:
      return LNT_DENSE;
    case Op::relu:
      return LNT_RELU;
    case Op::softmax:
      return LNT_SOFTMAX;
    case Op::reshape:
      return LNT_RESHAPE;
    default:
      return 0;
  }
}

void append(std::string& list, const char* separator, const std::string& entry) {
  if (!list.empty()) list += separator;
  list += entry;
}

/// What an op writes may lie on what it reads.
bool works_in_place(std::uint16_t opcode) { return opcode != LNT_DENSE; }

class Lower {
 public:
  Lower(const Graph& graph, const State& parameters)
      : graph_(graph), parameters_(parameters), shapes_(graph::infer_shapes(graph, 1)) {}

  Program run() {
    fold();
    find_needed();
    check_ops();
    add_constants();
    add_inputs();
    for (const Node* node : needed_) add_step(*node);
    finish();
    return std::move(program_);
  }

 private:
  const Value& value(int place) const { return graph_.values()[place]; }

  /// Each value, or the one it is the same as.
  void fold() {
    for (std::size_t i = 0; i < graph_.values().size(); ++i) source_.push_back(static_cast<int>(i));
    for (const Node& node : graph_.nodes()) {
      bool same = node.op == Op::dropout ||
                  (node.op == Op::reshape && shapes_[node.inputs[0]] == shapes_[node.output]);
      if (same) source_[node.output] = source_[node.inputs[0]];
    }
    output_ = source_[graph_.output()];
  }

  void find_needed() {
    std::vector<bool> needed(source_.size(), false);
    needed[output_] = true;
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
      if (!needed[node->output] || source_[node->output] != node->output) continue;
      needed_.push_back(&*node);
      for (int input : node->inputs) needed[source_[input]] = true;
    }
    std::reverse(needed_.begin(), needed_.end());
    for (int input : graph_.of_kind(Kind::input))
      check<GraphError>(needed[input], "deploy: the result does not depend on input ", value(input).name,
                        ". Trace the model without it.");
    check<GraphError>(!needed_.empty(), "deploy: the graph has no op left to run.");
  }

  /// Names every op that the runtime lacks, once, by what the list of ops says of it.
  void check_ops() const {
    std::string lacking;
    for (Lowering kind : {Lowering::NOT_YET, Lowering::TRAINING_ONLY}) {
      std::vector<std::string> names;
      for (const Node* node : needed_) {
        std::string op = Graph::op_name(*node);
        if (lowering(node->op) == kind && !std::count(names.begin(), names.end(), op)) names.push_back(op);
      }
      std::string list;
      for (const std::string& op : names) append(list, ", ", op);
      if (!list.empty()) append(lacking, "; ", concat({name(kind), ": ", list}));
    }
    check<GraphError>(lacking.empty(), "deploy: ", lacking, ". A .linnet file can hold ", runtime_ops(),
                      ". Keep this model as a checkpoint.");
    for (const Node* node : needed_)
      for (int place : {node->inputs[0], node->output})
        check<GraphError>(value(place).dtype == f32, "deploy: ", Graph::op_name(*node), " works in ",
                          value(place).dtype, ". A .linnet file can hold f32 models: convert with to(f32).");
  }

  bool is_constant(int place) const {
    return value(place).kind != Kind::input && value(place).kind != Kind::result;
  }

  int add_slot(int place, int kind) {
    const Shape& shape = shapes_[place];
    constexpr std::int64_t kLargest = 0xffffffff;
    check<GraphError>(shape.rank() >= 1 && shape.size() >= 1 && shape.size() * 4 <= kLargest,
                      "deploy: ", graph_.value_name(place), " has shape ", shape,
                      ". A .linnet file can hold tensors with at least one axis and element, up to 4 GiB.");
    slot_of_[place] = static_cast<int>(program_.slots.size());
    Slot slot;
    slot.kind = kind;
    slot.shape = shape;
    slot.name = value(place).name;
    program_.slots.push_back(std::move(slot));
    return slot_of_[place];
  }

  void add_constants() {
    slot_of_.assign(source_.size(), -1);
    for (const Node* node : needed_)
      for (int input : node->inputs) {
        int place = source_[input];
        if (!is_constant(place) || slot_of_[place] >= 0) continue;
        Slot& slot = program_.slots[add_slot(place, LNT_CONST)];
        slot.contents = value(place).kind == Kind::constant ? value(place).contents
                                                            : parameters_[value(place).name].tensor();
        check<GraphError>(slot.contents.dtype() == f32 && slot.contents.shape() == slot.shape,
                          "deploy: ", graph_.value_name(place), " must be f32 ", slot.shape, ", got ",
                          slot.contents.dtype(), " ", slot.contents.shape(), ".");
      }
  }

  void add_inputs() {
    for (int input : graph_.of_kind(Kind::input)) add_slot(input, LNT_IN);
  }

  void add_step(const Node& node) {
    Step step;
    step.opcode = opcode_of(node.op);
    int number = static_cast<int>(program_.steps.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      int place = source_[node.inputs[i]];
      check<GraphError>(i == 0 || is_constant(place), "deploy: ", Graph::op_name(node),
                        " with a computed weight or bias, ", graph_.value_name(place),
                        ", is not yet lowered. It must be a parameter or constant.");
      step.reads.push_back(slot_of_[place]);
      program_.slots[slot_of_[place]].last = number;
    }
    if (node.op == Op::softmax)
      step.params.push_back(static_cast<std::uint32_t>(node.attributes["axis"].integer()));
    step.writes = add_slot(node.output, node.output == output_ ? LNT_OUT : LNT_ACT);
    program_.slots[step.writes].first = number;
    program_.steps.push_back(std::move(step));
  }

  void finish() {
    int end = static_cast<int>(program_.steps.size());
    program_.slots[slot_of_[output_]].last = end;
    program_.slots[slot_of_[output_]].name = "output";
    for (int i = 0; i < end; ++i) {
      const Step& step = program_.steps[i];
      const Slot& from = program_.slots[step.reads[0]];
      if (works_in_place(step.opcode) && from.kind != LNT_CONST && from.last == i)
        program_.slots[step.writes].same_as = step.reads[0];
    }
  }

  const Graph& graph_;
  const State& parameters_;
  std::vector<Shape> shapes_;
  std::vector<int> source_;
  int output_ = -1;
  std::vector<const Node*> needed_;
  std::vector<int> slot_of_;
  Program program_;
};

}  // namespace

std::string runtime_ops() {
  std::string all;
  for (int i = 0; i < kOps; ++i)
    if (lowering(static_cast<Op>(i)) == Lowering::RUNTIME)
      append(all, ", ", std::string(name(static_cast<Op>(i))));
  return all;
}

Program lower(const Graph& graph, const State& parameters) {
  check<GraphError>(!graph.empty(), "deploy: the graph is empty. Trace a module or load one.");
  return Lower(graph, parameters).run();
}

}  // namespace linnet::deploy
