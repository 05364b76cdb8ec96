// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which layer of a quantized model hears the most noise.

#include <string>
#include <vector>

#include "linnet/graph/graph_module.h"

namespace linnet::compress {

struct LayerSqnr {
  std::string layer;     ///< "fc1"
  double decibel = 0.0;  ///< 10 log10(sum f^2 / sum (f - q)^2); infinite without noise
};

/// For every op that multiplies: its results f with all fake_quant ops of the model left out, and q with
/// them, on samples x [B, ...]. What came in as noise counts, too. In the order of the graph; a layer that is
/// several ops has several entries. Empty for a model without fake_quant.
std::vector<LayerSqnr> layer_sqnr(const graph::GraphModule& model, const Tensor& x);

}  // namespace linnet::compress
