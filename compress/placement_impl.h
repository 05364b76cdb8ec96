// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the fake_quant nodes of a quantized graph stand. Private to compress; docs/compression.md has the
// rules.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "linnet/compress/observe.h"
#include "linnet/compress/quantize.h"
#include "linnet/graph/graph.h"

namespace linnet::compress {

struct PlacementOptions {
  QuantMode mode = QuantMode::int8;
  int weight_bits = 8;
  std::vector<std::string> keep_float = {};  ///< patterns of names of layers that stay as they are
  std::function<bool(const std::string& layer)> only =
      {};  ///< if given, layers for which it is false stay, too
  /// Parameters with one range for all rows, because rows share values.
  std::function<bool(const std::string& parameter)> one_range = {};
  double momentum = 1.0;  ///< with which training moves the ranges of activations
  bool frozen = true;     ///< training moves no range
};

/// A buffer of the quantized graph that holds the range of a value.
struct RangePlace {
  std::string buffer;          ///< "fc1.weight/range", "fc1/range"
  int value = -1;              ///< in the graph without fake_quant
  std::string parameter = {};  ///< of a weight
  std::int64_t rows = 0;       ///< of a weight: ranges, 1 or one for each row
  std::optional<Range> fixed = {};
};

struct Placement {
  graph::Graph graph;
  std::vector<RangePlace> ranges;
  std::vector<std::string> layers;  ///< that have become quantized
};

Placement place_fake_quant(const graph::Graph& graph, const PlacementOptions& options);

/// The end of what an int8 op computes in one: value [-> reshape] [-> batch_norm] [-> relu or relu6], as far
/// as nobody else reads it; a reshape at the end is not part of it.
int end_of_chain(const class Links& links, int value, bool through_batch_norm);

}  // namespace linnet::compress
