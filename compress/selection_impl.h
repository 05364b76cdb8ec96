// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which channels go.

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/compress/channels_impl.h"
#include "linnet/compress/structured.h"

namespace linnet::compress {

struct Selection {
  std::vector<bool> gone;  ///< by root of a unit
  std::vector<LayerChannels> layers;
};

/// `state` of the module. ValueError as prune_structured.
Selection select(const graph::Graph& graph, const State& state, const Channels& channels,
                 const StructuredOptions& options);

}  // namespace linnet::compress
