// SPDX-License-Identifier: Apache-2.0
#pragma once
// deploy: a trained model as a `.linnet` file, which the C99 runtime checks and runs without heap or training
// code. runtime/format.h describes the file byte by byte.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "linnet/graph/graph_module.h"

namespace linnet::deploy {

struct Options {
  std::string task = {};        ///< "classification", "regression" or empty
  std::string preprocess = {};  ///< what was done to the inputs in training, for whoever runs the model
  std::vector<std::string> labels = {};                        ///< of the classes, in order
  std::vector<std::pair<std::string, std::string>> meta = {};  ///< further entries; keys of a-z 0-9 . _ -
  std::uint64_t model_version = 1;                             ///< counts up with every release of a model
  bool plain =
      false;  ///< weights as rows, for scalar boards; else in blocks of 16 outputs, as SIMD reads them
  bool optimise = true;  ///< run the passes of deploy/passes/; false for comparisons
  bool compact = true;   ///< constants in the fewest bytes that give the same numbers (deploy/encoding.h)
  bool page_aligned = false;  ///< weights begin at a page of 4096 bytes, to be mapped apart from the rest
  /// What training gives for generated inputs, for lnt_self_test on the board; 8 to 1024, or 0 for none.
  int golden_cases = 8;
};

struct Report {
  std::int64_t file_bytes = 0;
  std::int64_t arena_bytes = 0;  ///< working memory that the model needs on the board
  std::int64_t lower_bound = 0;  ///< no memory plan needs less
  int ops = 0;
  std::vector<std::string> op_names = {};  ///< each once: what a selective build of the runtime needs
  std::vector<std::pair<std::string, int>> passes = {};  ///< what each pass found, how often
  std::int64_t constant_bytes = 0;                       ///< of weights and tables in memory
  std::int64_t stored_bytes = 0;  ///< of the same in the file, with the scales that they need
  std::vector<std::pair<std::string, int>> encodings = {};  ///< "i8 codebook gaps": how many constants
};

/// A model file in memory.
struct Image {
  std::vector<std::uint8_t> bytes;
  Report report;
};

/// The model at batch 1, its inputs and output f32. What fake_quant rounds runs in integers where the runtime
/// can. The same graph, parameters and options give the same bytes.
/// GraphError when the runtime cannot run it, listing every op that it lacks; StateError for missing
/// parameters; ValueError for options that the file cannot hold.
Image build(const graph::Graph& graph, const State& parameters, const Options& options = {});

/// Writes it; the file that was there stays until the new one is complete. IoError when that fails.
Report write(const graph::Graph& graph, const State& parameters, const std::string& path,
             const Options& options = {});
Report write(const graph::GraphModule& model, const std::string& path, const Options& options = {});

}  // namespace linnet::deploy
