// SPDX-License-Identifier: Apache-2.0
#pragma once
// summary(): what a model costs, a line a layer.
//
//   std::puts(graph::summary(model, {1, 28, 28, 1}).str().c_str());

#include <string>
#include <vector>

#include "linnet/graph/trace.h"

namespace linnet::graph {

struct SummaryRow {
  std::string layer;  ///< "fc1 (dense)", "relu"
  Shape output;
  std::int64_t parameters = 0;        ///< that no earlier row has read
  std::int64_t macs = 0;              ///< multiply-accumulates
  std::int64_t activation_bytes = 0;  ///< of the result; none where it shares the contents of its input
};

struct Summary {
  std::vector<SummaryRow> rows;
  SummaryRow total;  ///< output: of the whole model; parameters: all, also those that no op reads
  std::string str() const;
};

Summary summary(const Graph& graph, std::int64_t batch = 1);

/// Traces the model; axis 0 of `input` is the batch that is counted.
template <std::derived_from<nn::Module> M>
Summary summary(M& model, const Shape& input) {
  return summary(trace(model, input), input[0]);
}

}  // namespace linnet::graph
