// SPDX-License-Identifier: Apache-2.0
#pragma once
// Quantization after training: a network that the board runs with 8-bit integers.
//
//   graph::GraphModule q = compress::quantize(model, {.calibrate = digits});
//   deploy::write(q, "mnist.linnet");
//
// A quantized network is a GraphModule of the same f32 parameters with fake_quant nodes, which round to the
// integers that the exported file will hold; it runs, trains (compress/qat.h) and is saved as any other.
// Where nodes stand, how ranges are chosen and what is tried: docs/compression.md.

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "linnet/compress/observe.h"
#include "linnet/compress/sqnr.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/train/trainer.h"

namespace linnet::compress {

enum class QuantMode : std::uint8_t {
  int8,             ///< weights by row, activations with ranges from calibration: integers all through
  int8_dynamic,     ///< weights, and inputs of products and convolutions with the range that each sample has
  int8_weights,     ///< weights only: a smaller file, computed in f32
  int4_weights,     ///< likewise
  float16_weights,  ///< parameters rounded to half precision, no nodes
};
const char* name(QuantMode mode);  ///< "int8", "int8_dynamic", ...

struct QuantizeOptions {
  QuantMode mode = QuantMode::int8;
  /// Data like those of training. Needed for int8; the other modes are measured, and their biases corrected,
  /// only with it. Labels, if it has any, say what a setting is worth.
  train::DatasetRef calibrate = {};
  /// By which settings are compared; without it, samples of `calibrate` that ranges are not taken from.
  train::DatasetRef held_out = {};
  std::int64_t samples = 512;            ///< that ranges are taken from; fewer than 100 give a warning
  std::int64_t held_out_samples = 1000;  ///< at most
  std::uint64_t seed = 0;                ///< chooses both
  /// Candidates for the ranges of activations.
  std::vector<RangeRule> rules = {std::begin(kRangeRules), std::end(kRangeRules)};
  bool equalize = true;      ///< try cross-layer equalisation
  bool correct_bias = true;  ///< try bias correction
  /// Patterns of names of layers ("0", "features.*") that stay in float.
  std::vector<std::string> keep_float = {};
  /// So many more of the layers that spoil the outputs most may stay in float, each as long as that gains.
  int sensitive = 0;
};

/// What a model was worth on the samples held out.
struct QuantizeScore {
  double value = 0.0;  ///< accuracy, or root mean squared error; NaN without labels
  double noise = 0.0;  ///< mean squared distance of the outputs to those of the float model, simulated
};

/// What quantize() has tried, chosen and measured.
struct QuantizeNotes {
  QuantMode mode = QuantMode::int8;
  std::uint64_t seed = 0;
  std::int64_t samples = 0, held_out_samples = 0;
  bool regression = false;      ///< scores are errors
  bool integer_engine = false;  ///< scores are those of the exported file, run by the runtime; else simulated
  QuantizeScore float_score = {}, score = {};
  struct Candidate {
    std::string setting;  ///< "mse", "99.9 %, equalised", "mse, biases corrected"
    QuantizeScore score = {};
    bool taken = false;
  };
  std::vector<Candidate> candidates = {};
  std::string rule = {};  ///< of the ranges of activations; empty where there are none
  bool equalized = false, bias_corrected = false;
  std::vector<std::string> kept_float = {};  ///< layers
  std::vector<LayerSqnr> sensitivity = {};   ///< outputs when this layer alone is quantized, the worst first
  std::vector<LayerSqnr> layers = {};        ///< of the quantized model
  std::vector<std::string> warnings = {};

  std::string str() const;  ///< for people
};

/// Does not change the model. Its constraints (core/constraint.h) stay: zeros remain zeros, and parameters
/// with groups get one range and as many integers as groups. The same model, options and data give the same
/// bits. ValueError without data for int8, for options out of range, a pattern that no layer matches or a
/// model of several inputs; GraphError when nothing can be quantized.
graph::GraphModule quantize(const graph::GraphModule& model, const QuantizeOptions& options,
                            QuantizeNotes* notes = nullptr);

/// Any model of one input, traced with the shape of a sample of `calibrate`.
template <std::derived_from<nn::Module> M>
requires(!std::same_as<std::remove_const_t<M>, graph::GraphModule>) graph::GraphModule
    quantize(M& model, const QuantizeOptions& options, QuantizeNotes* notes = nullptr) {
  check<ValueError>(options.calibrate.dataset && options.calibrate.dataset->size() > 0,
                    "quantize: there are no data to trace the model with. Set .calibrate.");
  const std::int64_t first[] = {0};
  const Tensor sample = options.calibrate.dataset->batch(first).x;
  return quantize(graph::GraphModule(graph::trace(model, sample.shape()), model.state()), options, notes);
}

/// A batch-norm behind a product or convolution that nobody else reads goes into its weights and bias: the
/// same function in evaluation, within rounding. Not where the weights have groups, which would be torn.
graph::GraphModule fold_batch_norm(const graph::GraphModule& model);

}  // namespace linnet::compress
