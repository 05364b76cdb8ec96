// SPDX-License-Identifier: Apache-2.0
#pragma once
// Helpers of the tests of structured pruning.

#include <string>
#include <vector>

#include "linnet/compress/structured.h"
#include "linnet/graph/trace.h"

namespace linnet::test {

template <class M>
graph::GraphModule graph_of(M& model, const Shape& input, DType dtype = f32) {
  const graph::InputSpec one[] = {{.shape = input, .dtype = dtype}};
  return graph::GraphModule(graph::trace(model, std::span<const graph::InputSpec>(one)), model.state());
}

/// x with zeros at the places of an axis that were not kept.
Tensor zeroed(const Tensor& x, const compress::KeptPlaces& kept, int axis);
/// A copy of the large network whose channels that are gone are 0: the rows of every parameter.
graph::GraphModule masked(const graph::GraphModule& large, const compress::Kept& kept);
/// A copy in which nobody reads them: the columns of every weight. Exact whatever is between.
graph::GraphModule unread(const graph::GraphModule& large, const compress::Kept& kept);

}  // namespace linnet::test
