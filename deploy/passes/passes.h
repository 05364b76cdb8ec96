// SPDX-License-Identifier: Apache-2.0
#pragma once
// From a trained graph to one that only has to run: fewer ops, the same outputs in evaluation. docs/deploy.md
// has a line a pass, with the tolerance within which outputs stay.

#include <string>
#include <utility>
#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::deploy {

class Draft;

/// Changes the draft and returns how often. Run again it finds nothing more.
struct Pass {
  const char* name;
  int (*run)(Draft& draft);
};

int drop_identities(Draft& draft);       ///< dropout, reshapes to the same shape, * 1, + 0, relu of a relu
int fold_constants(Draft& draft);        ///< what reads only constants is one
int merge_layouts(Draft& draft);         ///< reshape of a reshape, transposes that cancel
int matmul_to_dense(Draft& draft);       ///< by a constant
int fold_batch_norm(Draft& draft);       ///< into a dense or convolution before or after it
int fold_scale_and_shift(Draft& draft);  ///< mul, div, add, sub by a constant a channel, likewise
int fuse_activations(Draft& draft);      ///< elementwise ops behind dense, convolutions and batch-norm
int share_constants(Draft& draft);       ///< with the same contents
int order_for_memory(Draft& draft);      ///< of branches, the order that needs the smallest arena

struct Optimised {
  graph::Graph graph;                               ///< without parameters: their contents are constants
  std::vector<std::pair<std::string, int>> passes;  ///< what each found, how often
};

/// All passes, until none finds anything more. Errors as Draft's; those of an op whose constant arguments are
/// refused.
Optimised optimise(const graph::Graph& graph, const State& parameters);

}  // namespace linnet::deploy
