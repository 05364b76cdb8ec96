// SPDX-License-Identifier: Apache-2.0
// What a checkpoint shows of its compression.
#include <algorithm>
#include <cstdio>
#include <set>

#include "inspect_compression.h"
#include "linnet/core/constraint.h"

namespace linnet::tools {
namespace {

/// Values that the elements which are not masked share.
std::int64_t shared_values(const Constraint& constraint) {
  std::set<std::uint8_t> groups;
  const auto group = constraint.groups.data<std::uint8_t>();
  for (std::size_t i = 0; i < group.size(); ++i)
    if (!constraint.mask.defined() || constraint.mask.data<std::uint8_t>()[i] != 0) groups.insert(group[i]);
  return static_cast<std::int64_t>(groups.size());
}

std::int64_t masked(const Constraint& constraint) {
  return constraint.mask.defined() ? std::ranges::count(constraint.mask.data<std::uint8_t>(), 0) : 0;
}

struct Rounding {
  std::int64_t weights = 0, activations = 0, bits = 0;  ///< bits: the fewest
};

Rounding rounding_of(const graph::Graph& graph) {
  Rounding found;
  for (const graph::Node& node : graph.nodes()) {
    if (node.op != Op::fake_quant) continue;
    const bool weight = node.inputs.size() == 2 && node.attributes["symmetric"].integer() != 0;
    ++(weight ? found.weights : found.activations);
    const std::int64_t bits = node.attributes["bits"].integer();
    found.bits = found.bits == 0 ? bits : std::min(found.bits, bits);
  }
  return found;
}

}  // namespace

void print_compression(const graph::GraphModule& model) {
  for (const auto& [name, parameter] : model.parameters()) {
    const Constraint* held = constraint(parameter);
    if (!held) continue;
    std::printf("%s:", name.c_str());
    if (held->mask.defined())
      std::printf(" %.1f %% held at 0",
                  100.0 * static_cast<double>(masked(*held)) / static_cast<double>(parameter.size()));
    if (held->groups.defined())
      std::printf("%s %lld shared values", held->mask.defined() ? "," : "",
                  static_cast<long long>(shared_values(*held)));
    std::printf("\n");
  }
  const Rounding found = rounding_of(model.graph());
  if (found.weights + found.activations > 0)
    std::printf("rounded to integers of at least %lld bits: %lld weights, %lld activations\n",
                static_cast<long long>(found.bits), static_cast<long long>(found.weights),
                static_cast<long long>(found.activations));
}

Figures compression_figures(const graph::GraphModule& model) {
  std::int64_t zeros = 0, nonzero = 0, shared = 0;
  for (const NamedTensor& named : model.parameters()) {
    const Tensor wide = named.second.to(f64);
    nonzero += wide.size() - std::ranges::count(wide.data<double>(), 0.0);
    const Constraint* held = constraint(named.second);
    if (!held) continue;
    zeros += masked(*held);
    if (held->groups.defined()) shared = std::max(shared, shared_values(*held));
  }
  const Rounding found = rounding_of(model.graph());
  return {{"nonzero_parameters", nonzero},
          {"masked_parameters", zeros},
          {"shared_values", shared},
          {"quantized_weights", found.weights},
          {"quantized_activations", found.activations}};
}

}  // namespace linnet::tools
