// SPDX-License-Identifier: Apache-2.0
#pragma once
// A quantized module from a placement and what was seen. Private to compress.

#include <map>
#include <string>
#include <vector>

#include "linnet/compress/placement_impl.h"
#include "linnet/graph/graph_module.h"

namespace linnet::compress {

/// Bits of the weights in a mode.
int weight_bits_of(QuantMode mode);
/// Names of layers with weights that could be quantized, each once, in running order.
std::vector<std::string> layers_of(const graph::Graph& graph);
/// ValueError for a pattern that fits no layer.
void check_patterns(const graph::Graph& graph, const std::vector<std::string>& patterns);
/// What PlacementOptions::one_range wants to know: whether a parameter has groups in the state.
std::function<bool(const std::string&)> has_groups(const State& state);
/// Values of the float graph whose ranges calibration has to find.
std::vector<int> observed_values(const Placement& placement);

/// The module with all ranges: of weights by weight_range(), of activations by `rule` from histograms by
/// value, or as they are fixed. Those that are not in `seen` stay 0, for training to find.
graph::GraphModule assemble(const graph::GraphModule& base, const Placement& placement, int weight_bits,
                            const std::map<int, Histogram>& seen, RangeRule rule);

/// Parameters rounded to half precision, halves to even, at most +-65504.
graph::GraphModule rounded_to_half(const graph::GraphModule& model);

}  // namespace linnet::compress
