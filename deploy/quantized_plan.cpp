// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/quantized_plan.h"

#include <algorithm>

#include "linnet/autograd/recorder.h"
#include "linnet/core/find_op.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {

using graph::Graph;
using graph::Kind;
using graph::Node;

namespace {

bool limits(Op op) { return op == Op::relu || op == Op::relu6 || op == Op::clamp; }

constexpr float kUnit = 1.0f / 256, kTanh = 1.0f / 128;  // scales that softmax and the recurrent ops write

bool is_dynamic(const Node& node) { return node.op == Op::fake_quant && node.inputs.size() == 1; }

/// None fused, or one that only limits.
bool takes_clamp(const Node& node) {
  const StateValue* fused = node.attributes.find("activation");
  if (fused == nullptr) return true;
  const std::optional<Op> op = find_op(fused->text());
  return op && limits(*op);
}

/// A limiting activation may stand between the op and its rounding.
bool has_range(Op op) {
  return op == Op::dense || op == Op::conv2d || op == Op::add || op == Op::sub || op == Op::mul;
}

}  // namespace

bool QuantizedPlan::is_average(const Node& node) const {
  if (node.op == Op::avg_pool2d) return true;
  const int rank = of_.shapes[node.inputs[0]].rank();
  if (node.op != Op::mean || (rank != 3 && rank != 4)) return false;
  const auto axes = integers(node.attributes, "axes");
  return static_cast<int>(axes.size()) == rank - 2 && axes[0] == 1 && axes.back() == rank - 2;
}

QuantizedPlan::QuantizedPlan(const LoweredGraph& of, const std::vector<const Node*>& needed,
                             std::function<Tensor(int)> contents)
    : of_(of),
      contents_(std::move(contents)),
      readers_(of_.graph.values().size(), 0),
      nodes_(of_.graph.values().size()),
      grid_(of_.graph.values().size()) {
  readers_[of_.output] = 1;
  for (const Node* node : needed)
    for (int input : node->inputs) ++readers_[of_.sources[input]];
  for (const Node* node : needed) plan(*node);
}

const Quantizer* QuantizedPlan::grid(int value) const {
  const std::optional<Quantizer>& grid = grid_[of_.sources[value]];
  return grid ? &*grid : nullptr;
}

const Node* QuantizedPlan::writer(int value) const { return of_.graph.writer(of_.sources[value]); }

const Node* QuantizedPlan::own_writer(int value) const {
  value = of_.sources[value];
  return readers_[value] == 1 && !of_.constants[value] ? writer(value) : nullptr;
}

const Node* QuantizedPlan::past_reshapes(int value, std::vector<const Node*>& reshapes) const {
  const Node* node = own_writer(value);
  while (node != nullptr && node->op == Op::reshape) {
    reshapes.push_back(node);
    node = own_writer(node->inputs[0]);
  }
  return node;
}

const Node* QuantizedPlan::rounded_weight(int value) const {
  const Node* node = writer(value);
  const bool rounds = node != nullptr && of_.constants[of_.sources[value]] && node->op == Op::fake_quant &&
                      node->inputs.size() == 2;
  return rounds && node->attributes["symmetric"].integer() != 0 ? node : nullptr;
}

bool QuantizedPlan::reads_only_integers(const Node& node) const {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](int input) { return grid(input) != nullptr; });
}

void QuantizedPlan::plan(const Node& node) {
  if (is_dynamic(node)) {
    check<GraphError>(node.output != of_.output,
                      "deploy: the model ends with a rounding by the range of each sample. Take it away.");
    nodes_[node.output].role = Role::inner;
  } else if (node.op == Op::fake_quant) {
    plan_rounding(node);
  } else if (!node.inputs.empty() && writer(node.inputs[0]) != nullptr &&
             is_dynamic(*writer(node.inputs[0]))) {
    plan_dynamic(node);
  } else if (moves(node)) {
    nodes_[node.output].role = Role::moves;
    grid_[node.output] = *grid(node.inputs[0]);
  }
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Node* before = writer(node.inputs[i]);
    check<GraphError>(before == nullptr || !is_dynamic(*before), "deploy: ", Graph::op_name(node),
                      " reads what fake_quant rounds by the range of each sample. Only dense and conv2d with "
                      "rounded weights can: take the fake_quant away.");
  }
}

/// What passes on integers of one scale. The result of the model is f32, so a mean is better taken there.
bool QuantizedPlan::moves(const Node& node) const {
  if (node.inputs.empty() || !reads_only_integers(node)) return false;
  switch (node.op) {
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
    case Op::max_pool2d:
      return true;
    case Op::pad:
      return node.attributes["value"].real() == 0.0;
    case Op::concat:
      return std::all_of(node.inputs.begin(), node.inputs.end(),
                         [&](int input) { return *grid(input) == *grid(node.inputs[0]); });
    default:
      return is_average(node) && node.output != of_.output;
  }
}

void QuantizedPlan::plan_rounding(const Node& node) {
  const State& a = node.attributes;
  check<GraphError>(a["bits"].integer() == 8 && a["symmetric"].integer() == 0,
                    "deploy: fake_quant rounds activations to ", a["bits"].integer(), " bits",
                    a["symmetric"].integer() != 0 ? ", symmetric" : "",
                    ". The runtime has 8 bits with a range from low to high.");
  check<GraphError>(of_.constants[of_.sources[node.inputs[1]]],
                    "deploy: fake_quant with a computed range is not lowered. It must be a buffer.");
  const auto range = contents_(of_.sources[node.inputs[1]]);
  const Quantizer y = range_quantizer(static_cast<double>(range.data<float>()[0]),
                                      static_cast<double>(range.data<float>()[1]), 8);
  grid_[node.output] = y;
  QuantizedNode& plan = nodes_[node.output];
  plan.role = Role::rounds;
  std::vector<const Node*> inner;
  const Node* core = past_reshapes(node.inputs[0], inner);
  if (core == nullptr) return;
  const Quantizer* x = grid(node.inputs[0]);
  const bool average = is_average(*core) && grid(core->inputs[0]) != nullptr && !(x != nullptr && *x == y);
  if (x != nullptr && !average) return;
  const Node* clamp = nullptr;
  if (limits(core->op) && grid(core->inputs[0]) == nullptr) {
    clamp = core;
    inner.push_back(clamp);
    core = past_reshapes(clamp->inputs[0], inner);
    if (core == nullptr || !has_range(core->op) || core->attributes.has("activation")) return;
  }
  if (!average && !has_integer_op(*core, y)) return;
  plan.core = core;
  plan.clamp = clamp;
  inner.push_back(core);
  for (const Node* part : inner) {
    nodes_[part->output].role = Role::inner;
    grid_[part->output].reset();
  }
}

void QuantizedPlan::plan_dynamic(const Node& node) {
  const bool known = (node.op == Op::dense || node.op == Op::conv2d) && rounded_weight(node.inputs[1]);
  check<GraphError>(known, "deploy: ", Graph::op_name(node),
                    " reads what fake_quant rounds by the range of each sample. Only dense and conv2d with "
                    "rounded weights can: take the fake_quant away.");
  nodes_[node.output].role = Role::dynamic;
}

bool QuantizedPlan::is_integer_product(const Node& node) const {
  const bool bias = node.inputs.size() < 3 || of_.constants[of_.sources[node.inputs[2]]];
  return grid(node.inputs[0]) != nullptr && rounded_weight(node.inputs[1]) != nullptr && bias &&
         takes_clamp(node);
}

bool QuantizedPlan::is_integer_recurrent(const Node& node, const Quantizer& y) const {
  const std::size_t inputs = node.op == Op::gru ? 5 : 4;  // more are a state or a mask
  const State& a = node.attributes;
  const bool cell_row = a.has("cell_row") && a["cell_row"].integer() != 0;
  if (node.inputs.size() != inputs || cell_row || y.scale != kTanh || y.zero != 0) return false;
  for (std::size_t i = 3; i < inputs; ++i)
    if (!of_.constants[of_.sources[node.inputs[i]]]) return false;
  return grid(node.inputs[0]) != nullptr && rounded_weight(node.inputs[1]) != nullptr &&
         rounded_weight(node.inputs[2]) != nullptr;
}

/// A function of one integer: elementwise, and what else it reads is one number.
bool QuantizedPlan::is_lookup(const Node& node) const {
  if (elementwise_opcode(node.op) == 0) return false;
  int integers = 0, numbers = 0;
  for (int input : node.inputs) {
    integers += grid(input) != nullptr && of_.shapes[input] == of_.shapes[node.output];
    numbers += of_.constants[of_.sources[input]] && of_.shapes[input].size() == 1;
  }
  return integers == 1 && integers + numbers == static_cast<int>(node.inputs.size());
}

bool QuantizedPlan::has_integer_op(const Node& node, const Quantizer& y) const {
  switch (node.op) {
    case Op::dense:
    case Op::conv2d:
      return is_integer_product(node);
    case Op::add:
    case Op::sub:
    case Op::mul:
      return reads_only_integers(node) || is_lookup(node);
    case Op::concat:
      return reads_only_integers(node);
    case Op::softmax:
      return reads_only_integers(node) && y.scale == kUnit && y.zero == -128;
    case Op::lstm:
    case Op::gru:
      return is_integer_recurrent(node, y);
    default:
      return is_lookup(node);
  }
}

}  // namespace linnet::deploy
