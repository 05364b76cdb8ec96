// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/lower.h"

#include <algorithm>

#include "linnet/deploy/deploy.h"
#include "linnet/deploy/quantized_writer.h"
#include "linnet/graph/infer.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

void extend_list(std::string& list, const char* separator, const std::string& entry) {
  if (!list.empty()) list += separator;
  list += entry;
}

class Lower {
 public:
  Lower(const Graph& graph, const State& parameters, int layout)
      : graph_(graph), parameters_(parameters), layout_(layout), shapes_(graph::infer_shapes(graph, 1)) {}

  Program run() {
    find_constants();
    fold();
    find_needed();
    check_ops();
    QuantizedWriter writer({graph_, parameters_, shapes_, source_, constant_, output_, layout_}, needed_);
    for (const Node* node : needed_) writer.add(*node);
    return writer.finish();
  }

 private:
  const Value& value(int place) const { return graph_.values()[place]; }

  /// Values that do not depend on an input.
  void find_constants() {
    for (const Value& value : graph_.values())
      constant_.push_back(value.kind != Kind::input && value.kind != Kind::result);
    for (const Node& node : graph_.nodes())
      constant_[node.output] =
          std::all_of(node.inputs.begin(), node.inputs.end(), [&](int input) { return constant_[input]; });
  }

  /// It only passes its input on.
  bool changes_nothing(const Node& node) const {
    const bool same_shape = shapes_[node.inputs[0]] == shapes_[node.output];
    switch (node.op) {
      case Op::dropout:
      case Op::spatial_dropout:
      case Op::gaussian_noise:
        return true;
      case Op::reshape:
        return same_shape;
      case Op::concat:
        return node.inputs.size() == 1;
      case Op::sum:
      case Op::mean:
      case Op::max:
        return node.attributes["axes"].tensor().size() == 0;
      default:
        return false;
    }
  }

  /// Each value, or the one it is the same as.
  void fold() {
    for (std::size_t i = 0; i < graph_.values().size(); ++i) source_.push_back(static_cast<int>(i));
    for (const Node& node : graph_.nodes())
      if (changes_nothing(node)) source_[node.output] = source_[node.inputs[0]];
    output_ = source_[graph_.output()];
  }

  void find_needed() {
    std::vector<bool> needed(source_.size(), false);
    needed[output_] = true;
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
      if (!needed[node->output] || source_[node->output] != node->output || constant_[node->output]) continue;
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
      for (const std::string& op : names) extend_list(list, ", ", op);
      if (!list.empty()) extend_list(lacking, "; ", concat({name(kind), ": ", list}));
    }
    check<GraphError>(lacking.empty(), "deploy: ", lacking,
                      ". A .linnet file holds the ops that docs/ops.md calls runtime. Keep this model as a "
                      "checkpoint.");
    for (const Node* node : needed_)
      for (int place : {node->inputs[0], node->output})
        check<GraphError>(value(place).dtype != f64, "deploy: ", Graph::op_name(*node), " works in ",
                          value(place).dtype, ". A .linnet file can hold f32 models: convert with to(f32).");
  }

  const Graph& graph_;
  const State& parameters_;
  int layout_;
  std::vector<Shape> shapes_;
  std::vector<int> source_;
  std::vector<bool> constant_;
  int output_ = -1;
  std::vector<const Node*> needed_;
};

}  // namespace

std::int64_t Slot::bytes() const {
  const std::int64_t element = dtype == LNT_I8 ? 1 : dtype == LNT_I16 ? 2 : 4;
  if (layout == LNT_PLAIN) return shape.size() * element;
  return (shape[0] + LNT_BLOCK - 1) / LNT_BLOCK * LNT_BLOCK * shape.product(1, shape.rank()) * 4;
}

bool has_integer_ops(const Program& program) {
  return std::any_of(program.steps.begin(), program.steps.end(),
                     [](const Step& step) { return step.opcode >= LNT_QUANTIZE; });
}

int minor_version(const Program& program) {
  const bool packs = std::any_of(program.slots.begin(), program.slots.end(),
                                 [](const Slot& slot) { return !slot.packed.empty(); });
  return packs || has_integer_ops(program) ? 1 : 0;
}

Program lower(const Graph& graph, const State& parameters, int layout) {
  check<GraphError>(!graph.empty(), "deploy: the graph is empty. Trace a module or load one.");
  return Lower(graph, parameters, layout).run();
}

}  // namespace linnet::deploy
