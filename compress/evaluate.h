// SPDX-License-Identifier: Apache-2.0
#pragma once
// How good a model is, sample by sample, so that two models can be compared on the same samples. A quantized
// model is judged by what it will do on the board: its exported image is run by the runtime.

#include <cstdint>
#include <vector>

#include "linnet/data/dataset.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/graph_module.h"
#include "linnet/train/metric.h"

namespace linnet::compress {

/// What a model makes of every sample of a dataset, in its order.
struct Scores {
  bool regression = false;  ///< the targets are numbers, not classes
  std::vector<double>
      of_sample;  ///< 1 or 0: right or wrong; of regression the mean squared error of a sample

  std::int64_t size() const { return static_cast<std::int64_t>(of_sample.size()); }
  /// Accuracy a = mean s with sqrt(a (1 - a) / n), or the root r of the mean of e = s with
  /// deviation(e) / (2 r sqrt(n)).
  train::Estimate value() const;
};

/// a - b with the standard error of the mean of the paired differences of samples: d = a_i - b_i, or, for
/// root mean squared errors, d = (a_i - r_a^2) / (2 r_a) - (b_i - r_b^2) / (2 r_b). ValueError unless both
/// are of the same samples.
train::Estimate paired_difference(const Scores& a, const Scores& b);

/// True when the graph has fake_quant ops: it stands for integers.
bool is_quantized(const graph::Graph& graph);

/// By the training side, in evaluation mode, in batches; a quantized model by the runtime (the integer
/// engine), from an image made for this.
Scores evaluate(graph::GraphModule& model, const data::Dataset& dataset);
/// By the training side in any case.
Scores simulate(graph::GraphModule& model, const data::Dataset& dataset);
/// By the runtime, one sample at a time.
Scores evaluate(const deploy::Image& image, const data::Dataset& dataset);

}  // namespace linnet::compress
