// SPDX-License-Identifier: Apache-2.0
#pragma once
// What calibration data say about the values of a graph. Models given here are in evaluation mode. Private to
// compress.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "linnet/compress/observe.h"
#include "linnet/data/dataset.h"
#include "linnet/graph/graph_module.h"

namespace linnet::compress {

/// `count` samples (fewer, if there are no more) of an order that the seed draws, from the place `skip` on;
/// ascending.
std::vector<std::int64_t> draw_samples(const data::Dataset& dataset, std::int64_t count, std::uint64_t seed,
                                       std::int64_t skip = 0);

/// x of a batch in the shape and type of the model's one input. ValueError for a model of several.
Tensor as_input(const graph::GraphModule& model, const Tensor& x);

/// Histograms of the values named, over all samples.
std::map<int, Histogram> observe(graph::GraphModule& model, std::span<const int> values,
                                 const data::Dataset& dataset);

/// Outputs for all samples, [samples, ...].
Tensor outputs_of(graph::GraphModule& model, const data::Dataset& dataset);

/// Sums of squares of two tensors of one shape.
struct Distance {
  double signal = 0.0;  ///< of a
  double noise = 0.0;   ///< of a - b
  double decibel() const;
};
Distance distance(const Tensor& a, const Tensor& b);

}  // namespace linnet::compress
