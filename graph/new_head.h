// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network with a new last layer, for fine-tuning.
//
//   graph::GraphModule model = graph::with_new_head(old, 5);                       // for 5 classes
//   model.freeze();                                                                // the backbone ...
//   for (const std::string& name : graph::head_parameters(model.graph())) model.unfreeze(name);   // ... only

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/graph/graph_module.h"

namespace linnet::graph {

/// Names of what the head reads: "9.weight", "9.bias". The head is the last op of the graph that reads
/// parameters. GraphError when there is none.
std::vector<std::string> head_parameters(const Graph& graph);

/// Size of the last axis of the output: classes, for a classifier.
std::int64_t outputs_of(const Graph& graph);

/// The module with another number of outputs: the parameters of its head are made anew (weights Glorot
/// uniform, biases 0), everything else is copied, and no parameter is frozen; batch-norms that were when the
/// graph was traced go on with fixed statistics until unfreeze(). GraphError unless the head is a
/// Dense or a convolution without groups whose parameters no other op reads, and what follows it takes the
/// new number. ValueError for fewer than one output.
GraphModule with_new_head(const GraphModule& module, std::int64_t outputs);

}  // namespace linnet::graph
