// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/placement_impl.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "linnet/autograd/recorder.h"
#include "linnet/compress/rewrite_impl.h"
#include "linnet/core/find_op.h"
#include "linnet/core/name_pattern.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Sizes;
using graph::Value;

constexpr Range kUnit{0.0, 255.0 / 256.0};      ///< scale 1/256, zero -128
constexpr Range kSymmetric{-1.0, 127.0 / 128};  ///< scale 1/128, zero 0

/// avg_pool2d, or the mean over all axes between the batch and the channels.
bool is_average(const Node& node, const Value& x) {
  if (node.op == Op::avg_pool2d) return true;
  const auto rank = static_cast<std::int64_t>(x.sizes.size());
  if (node.op != Op::mean || rank < 3) return false;
  std::set<std::int64_t> axes;
  for (std::int64_t axis : integers(node.attributes, "axes")) axes.insert(axis < 0 ? axis + rank : axis);
  return axes.size() == static_cast<std::size_t>(rank - 2) && *axes.begin() == 1 &&
         *axes.rbegin() == rank - 2;
}

/// The result has integers of x.
bool keeps_scale(const Node& node) {
  if (is_noise(node.op)) return true;
  switch (node.op) {
    case Op::max_pool2d:
    case Op::reshape:
    case Op::transpose:
    case Op::slice:
      return true;
    case Op::pad:
      return node.attributes["value"].real() == 0.0;
    default:
      return false;
  }
}

/// From no state, without masks, and giving nothing but h.
bool is_plain_recurrent(const Node& node) {
  if (node.op != Op::lstm && node.op != Op::gru) return false;
  const bool cell_row = node.op == Op::lstm && node.attributes["cell_row"].integer() != 0;
  return node.inputs.size() == (node.op == Op::gru ? 5U : 4U) && !cell_row &&
         node.attributes["masked"].integer() == 0;
}

class Placer {
 public:
  Placer(const Graph& graph, const PlacementOptions& options)
      : old_(graph), options_(options), links_(graph), now_(graph) {
    for (const Value& value : graph.values()) names_.insert(value.name);
  }

  Placement run() {
    for (const Node& node : old_.nodes()) {
      visit(node);
      if (const auto end = ends_.find(node.output); end != ends_.end())
        put_on_grid(node.output, end->second, {});
    }
    return {now_.graph(), std::move(ranges_), std::move(layers_)};
  }

 private:
  const Value& value(int place) const { return old_.values()[static_cast<std::size_t>(place)]; }
  bool on_grid(int old) const { return grid_.count(old) > 0; }
  bool is_result_or_input(int old) const {
    return value(old).kind == Kind::result || value(old).kind == Kind::input;
  }

  void visit(const Node& node) {
    if (!weight_places(node.op).empty()) return visit_layer(node);
    if (options_.mode != QuantMode::int8 || value(node.output).dtype != f32) return void(now_.copy(node));
    visit_op(node);
  }

  // ---- ops with weights ----
  bool stays_float(const Node& node) const {
    const std::string layer = layer_name(links_, node);
    for (const std::string& pattern : options_.keep_float)
      if (matches(pattern, layer)) return true;
    for (std::size_t place : weight_places(node.op))
      if (parameter_behind(links_, node.inputs[place]) < 0) return true;
    return options_.only && !options_.only(layer);
  }

  void visit_layer(const Node& node) {
    if (stays_float(node)) return void(now_.copy(node));
    const bool product = node.op == Op::dense || node.op == Op::conv2d;
    layers_.push_back(layer_name(links_, node));
    std::vector<int> inputs;
    for (int input : node.inputs) inputs.push_back(now_.at(input));
    for (std::size_t place : weight_places(node.op)) inputs[place] = weight(node.inputs[place]);
    if (options_.mode == QuantMode::int8_dynamic && product) inputs[0] = dynamic(node.inputs[0]);
    const bool integers = options_.mode == QuantMode::int8 && (product || is_plain_recurrent(node));
    if (integers) inputs[0] = grid(node.inputs[0]);
    now_.copy(node, std::move(inputs));
    if (!integers) return;
    if (product)
      ends_[end_of_chain(links_, node.output, true)] = layers_.back();
    else
      put_on_grid(node.output, layers_.back(), kSymmetric);
  }

  int weight(int old) {
    if (const auto found = weights_.find(old); found != weights_.end()) return found->second;
    const std::string& parameter = value(parameter_behind(links_, old)).name;
    const bool one = options_.one_range && options_.one_range(parameter);
    const std::int64_t rows = one ? 1 : value(old).sizes[0];
    RangePlace place{.buffer = unique(parameter), .value = old, .parameter = parameter, .rows = rows};
    return weights_[old] = add_fake_quant(old, std::move(place), options_.weight_bits, true, 1.0);
  }

  int dynamic(int old) {
    if (const auto found = dynamic_.find(old); found != dynamic_.end()) return found->second;
    return dynamic_[old] = now_.add_node(Op::fake_quant, {{"bits", 8}}, {now_.at(old)}, value(old).sizes);
  }

  // ---- the others ----
  void visit_op(const Node& node) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](int i) { return on_grid(i); });
    if (!any) return void(now_.copy(node));
    if (keeps_scale(node))
      keep_scale(node);
    else if (is_average(node, value(node.inputs[0])))
      step(node, {});
    else if (node.op == Op::add || node.op == Op::sub || node.op == Op::mul)
      visit_sum(node);
    else if (node.op == Op::concat)
      visit_concat(node);
    else if (is_unary(node.op))
      step(node, node.op == Op::sigmoid ? std::optional(kUnit)
                 : node.op == Op::tanh  ? std::optional(kSymmetric)
                                        : std::nullopt);
    else if (node.op == Op::softmax && is_last_axis(node))
      step(node, kUnit);
    else
      now_.copy(node);
  }

  bool is_last_axis(const Node& node) const {
    const auto rank = static_cast<std::int64_t>(value(node.output).sizes.size());
    const std::int64_t axis = node.attributes["axis"].integer();
    return axis == -1 || axis == rank - 1;
  }

  void keep_scale(const Node& node) {
    std::vector<int> inputs;
    for (int input : node.inputs) inputs.push_back(now_.at(input));
    inputs[0] = grid(node.inputs[0]);
    grid_[node.output] = now_.copy(node, std::move(inputs));
    if (const auto found = fixed_.find(node.inputs[0]); found != fixed_.end())
      fixed_[node.output] = found->second;
  }

  void visit_sum(const Node& node) {
    for (int input : node.inputs)
      if (value(input).dtype != f32 || value(input).sizes.empty()) return void(now_.copy(node));
    copy_on_grid(node);
    ends_[end_of_chain(links_, node.output, false)] = Graph::op_name(node);
  }

  void visit_concat(const Node& node) {
    bool same = true;
    for (int input : node.inputs) {
      if (!is_result_or_input(input)) return void(now_.copy(node));
      const auto found = fixed_.find(input), first = fixed_.find(node.inputs[0]);
      same = same && found != fixed_.end() && first != fixed_.end() && found->second.low == first->second.low;
    }
    copy_on_grid(node);
    put_on_grid(node.output, Graph::op_name(node),
                same ? std::optional(fixed_.at(node.inputs[0])) : std::nullopt);
  }

  void step(const Node& node, std::optional<Range> fixed) {
    copy_on_grid(node);
    put_on_grid(node.output, Graph::op_name(node), fixed);
  }

  void copy_on_grid(const Node& node) {
    std::vector<int> inputs;
    for (int input : node.inputs) inputs.push_back(grid(input));
    now_.copy(node, std::move(inputs));
  }

  // ---- ranges ----
  /// The value with a fake_quant behind it, if it has none yet; only who asks reads that.
  int grid(int old) {
    if (!on_grid(old)) {
      const int before = now_.at(old);
      const Node* writer = links_.writer(old);
      put_on_grid(old, writer ? layer_name(links_, *writer) : value(old).name, {});
      now_.put(old, before);
    }
    return grid_.at(old);
  }

  /// A fake_quant that all later readers read.
  void put_on_grid(int old, const std::string& name, std::optional<Range> fixed) {
    if (fixed) fixed_[old] = *fixed;
    const std::string base = name.empty() ? "constant" : name;
    grid_[old] = add_fake_quant(old, {.buffer = unique(base), .value = old, .fixed = fixed}, 8, false,
                                options_.momentum);
    now_.put(old, grid_[old]);
  }

  int add_fake_quant(int old, RangePlace place, int bits, bool symmetric, double momentum) {
    const std::int64_t size = symmetric ? place.rows : 2;
    const int range = now_.add({Kind::buffer, place.buffer, f32, {size}, {}});
    const bool frozen = options_.frozen || place.fixed;
    ranges_.push_back(std::move(place));
    return now_.add_node(Op::fake_quant,
                         {{"bits", bits},
                          {"symmetric", symmetric ? 1 : 0},
                          {"momentum", momentum},
                          {"frozen", frozen ? 1 : 0}},
                         {now_.at(old), range}, value(old).sizes);
  }

  std::string unique(const std::string& base) {
    std::string name = base + "/range";
    for (int i = 2; !names_.insert(name).second; ++i) name = concat({base, "_", i, "/range"});
    return name;
  }

  const Graph& old_;
  const PlacementOptions& options_;
  Links links_;
  Rewrite now_;
  std::set<std::string> names_;
  std::map<int, int> grid_;          ///< of an old value that is on a grid: where it is now
  std::map<int, Range> fixed_;       ///< of old values whose range is given
  std::map<int, std::string> ends_;  ///< old values that get a fake_quant once they are there
  std::map<int, int> weights_, dynamic_;
  std::vector<RangePlace> ranges_;
  std::vector<std::string> layers_;
};

}  // namespace

int end_of_chain(const Links& links, int value, bool through_batch_norm) {
  int end = value;
  while (const Node* next = links.only_reader(value)) {
    if (next->op == Op::relu || next->op == Op::relu6) return next->output;
    const bool norm = through_batch_norm && next->op == Op::batch_norm && next->inputs[0] == value;
    if (!norm && next->op != Op::reshape) return end;
    value = next->output;
    if (!norm) continue;
    end = value;
    through_batch_norm = false;
  }
  return end;
}

Placement place_fake_quant(const Graph& graph, const PlacementOptions& options) {
  return Placer(graph, options).run();
}

}  // namespace linnet::compress
