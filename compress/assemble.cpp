// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/assemble_impl.h"

#include <algorithm>
#include <cmath>

#include "linnet/compress/rewrite_impl.h"
#include "linnet/core/constraint.h"
#include "linnet/core/name_pattern.h"

namespace linnet::compress {

using graph::Graph;
using graph::GraphModule;
using graph::Node;

int weight_bits_of(QuantMode mode) { return mode == QuantMode::int4_weights ? 4 : 8; }

std::vector<std::string> layers_of(const Graph& graph) {
  const Links links(graph);
  std::vector<std::string> layers;
  for (const Node& node : graph.nodes()) {
    const std::vector<std::size_t> places = weight_places(node.op);
    const bool given = std::all_of(places.begin(), places.end(), [&](std::size_t place) {
      return parameter_behind(links, node.inputs[place]) >= 0;
    });
    if (places.empty() || !given) continue;
    const std::string layer = layer_name(links, node);
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  }
  return layers;
}

void check_patterns(const Graph& graph, const std::vector<std::string>& patterns) {
  const std::vector<std::string> layers = layers_of(graph);
  std::string all;
  for (const std::string& layer : layers) all += (all.empty() ? "" : ", ") + layer;
  for (const std::string& pattern : patterns)
    check<ValueError>(std::any_of(layers.begin(), layers.end(),
                                  [&](const std::string& layer) { return matches(pattern, layer); }),
                      "quantize: no layer is named \"", pattern, "\". There are: ", all, ".");
}

std::function<bool(const std::string&)> has_groups(const State& state) {
  return [&state](const std::string& parameter) { return state.has(parameter + std::string(kGroupsEntry)); };
}

std::vector<int> observed_values(const Placement& placement) {
  std::vector<int> values;
  for (const RangePlace& place : placement.ranges)
    if (place.parameter.empty() && !place.fixed) values.push_back(place.value);
  return values;
}

namespace {

/// A channel of zeros shares the largest range: any would do.
Tensor weight_ranges(const Tensor& weight, std::int64_t rows, int bits) {
  const auto values = weight.data<float>();
  const std::size_t size = values.size() / static_cast<std::size_t>(rows);
  Tensor ranges = Tensor::empty({rows});
  const auto to = ranges.mutable_data<float>();
  for (std::size_t row = 0; row < to.size(); ++row)
    to[row] = static_cast<float>(weight_range(values.subspan(row * size, size), bits));
  const float largest = *std::max_element(to.begin(), to.end());
  for (float& range : to)
    if (range == 0.0f) range = largest > 0.0f ? largest : 1.0f;
  return ranges;
}

Tensor range_of(const RangePlace& place, const State& state, int weight_bits,
                const std::map<int, Histogram>& seen, RangeRule rule) {
  if (!place.parameter.empty())
    return weight_ranges(state[place.parameter].tensor(), place.rows, weight_bits);
  if (place.fixed) return Tensor::from({place.fixed->low, place.fixed->high});
  const auto found = seen.find(place.value);
  if (found == seen.end()) return Tensor::zeros({2});
  const Range range = found->second.range(rule);
  return Tensor::from({range.low, range.high});
}

}  // namespace

GraphModule assemble(const GraphModule& base, const Placement& placement, int weight_bits,
                     const std::map<int, Histogram>& seen, RangeRule rule) {
  State state = base.state();
  for (const RangePlace& place : placement.ranges)
    state.set(place.buffer, range_of(place, state, weight_bits, seen, rule));
  GraphModule model(placement.graph, state);
  model.train(base.training());
  return model;
}

namespace {

/// Halves have 11 binary digits, and no place below 2^-24.
float to_half(float x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  const int places = std::min(11 - exponent, 24);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(x), places)), -places);
  return static_cast<float>(std::clamp(rounded, -65504.0, 65504.0));
}

}  // namespace

GraphModule rounded_to_half(const GraphModule& model) {
  GraphModule copy(model.graph(), model.state());
  copy.train(model.training());
  for (auto& [name, tensor] : copy.parameters()) {
    if (tensor.dtype() != f32) continue;
    Tensor contents = tensor.detach();
    for (float& x : contents.mutable_data<float>()) x = to_half(x);
  }
  return copy;
}

}  // namespace linnet::compress
