// SPDX-License-Identifier: Apache-2.0
#pragma once
// Structured pruning: whole units and channels go, and the network becomes physically smaller: fewer rows in
// the layer, fewer columns in those that read it, fewer multiply-accumulates, on every machine and without
// sparse kernels.
//
//   compress::Shrunk small = compress::prune_structured(model, {.sparsity = 0.5});
//   compress::reestimate_batch_norm(small.model, digits);
//   optim::Adam adam(small.model.parameters(), {.lr = 1e-4});
//   adam.load(compress::shrink_state(old_adam.state(), small.kept));      // goes on with its moments
//
// What may go are the output units of Dense, Conv2D and ConvTranspose2D. Channels that an elementwise op of
// two tensors joins (residual add, squeeze and excite) go together, as do those of a depthwise convolution
// with the channels it reads, and whole groups of other grouped convolutions; flatten turns a channel into H
// W columns. Inputs and outputs of the network stay, and so do channels that LayerNorm, GroupNorm, Softmax,
// Embedding, a matmul or a reduction over channels looks at, and the units of recurrent layers, whose inputs
// may shrink.
//
// The smaller network computes what the large one computes when the weights, biases, batch-norm scales and
// shifts of the channels are set to 0, unless an op on the way makes something else of 0: after Sigmoid, say,
// a channel of zeros is one of 0.5, which goes too. Fine-tuning makes up for that.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "linnet/compress/scope.h"
#include "linnet/core/state.h"
#include "linnet/data/dataset.h"
#include "linnet/graph/graph_module.h"

namespace linnet::compress {

/// What a channel is worth.
enum class Criterion {
  l1,               ///< sum of the absolute values of its weights
  batch_norm_scale  ///< |weight| of the batch-norm behind it (Liu et al.: "Learning Efficient Convolutional
                    ///< Networks through Network Slimming", 2017); channels without one stay
};

struct StructuredOptions {
  double sparsity = 0.0;  ///< share of the channels that may go that do, in [0, 1)
  /// Globally, l1 is divided by its mean over the layer, since sums of
  /// layers of several sizes do not compare.
  /// Layers that a later op joins, as branches behind a concat that feeds a depthwise convolution, count as
  /// one, and their sums are compared as they are.
  Scope scope = Scope::layer;
  Criterion criterion = Criterion::l1;
  std::int64_t min_channels = 1;  ///< that every weight keeps
  std::int64_t multiple = 1;      ///< of what goes one by one a layer keeps a multiple, or all: 8 or 16
  std::string pattern = "*";      ///< of names of weights (core/name_pattern.h): other layers stay
};

/// The places that are left of a tensor, for each axis in rising order; nothing for an axis that is whole.
struct KeptPlaces {
  Shape before;
  std::vector<std::vector<std::int64_t>> axes;
};
/// By name of parameter or buffer; whole tensors are not in it.
using Kept = std::map<std::string, KeptPlaces>;

/// Channels of one layer, or of several that share them; what goes as one, such as a group of a grouped
/// convolution, counts once.
struct LayerChannels {
  std::string name;  ///< "0.weight", "3.weight + 6.weight"
  std::int64_t before = 0, after = 0;
};

struct Shrunk {
  graph::GraphModule model;
  Kept kept;
  std::vector<LayerChannels> layers;  ///< those that may shrink
  std::int64_t parameters_before = 0, parameters_after = 0;
  std::int64_t macs_before = 0, macs_after = 0;  ///< for one sample
  std::string str() const;                       ///< a line a layer and one for the whole
};

/// A smaller copy of the module, in the same mode; no parameter is frozen. Channels go by rising importance,
/// that of those that go together added up, the first of equal ones first. ValueError for options out of
/// range, a pattern that nothing matches, weights that are not finite, or when nothing may go.
Shrunk prune_structured(const graph::GraphModule& module, const StructuredOptions& options = {});

/// The state of a module, optimizer or EMA of the large network for the small one: entries "0.weight" and
/// "0.weight/m" are cut as the parameter 0.weight was, others pass. StateError when a tensor has not the
/// shape of its parameter.
State shrink_state(const State& state, const Kept& kept);

/// True when the graph has batch-norms whose statistics move in training.
bool has_moving_statistics(const graph::Graph& graph);

/// Running means and variances anew, from the data as the network sees them now, without training it: they
/// are those of all values of the samples, the variances dividing by their number less one. Batch-norms
/// behind others see batches that those normalised by their own statistics, as in training; dropout is off.
/// Takes `samples` samples (all, if there are fewer) at equal distances, `batch` at a time. Draws no random
/// numbers. Batch-norms that the graph has frozen stay. ValueError for counts below 1, no samples, when there
/// is no batch-norm to estimate, or when one is used twice.
void reestimate_batch_norm(graph::GraphModule& module, const data::Dataset& dataset,
                           std::int64_t samples = 2048, std::int64_t batch = 64);

}  // namespace linnet::compress
