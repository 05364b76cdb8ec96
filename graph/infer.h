// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shapes and multiply-accumulates of a Graph for any batch, by rule, without running it.

#include <cstdint>
#include <span>
#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::graph {

/// Shape of every value at a batch size. GraphError naming the op when inputs do not fit, their number is
/// wrong, or a result's recorded type is not the one the op gives. A user's op has no rule: its recorded
/// shape is taken.
std::vector<Shape> infer_shapes(const Graph& graph, std::int64_t batch);

/// Multiply-accumulates of one node, given the shapes of all values, as core/op_cost.h counts them.
std::int64_t macs(const Node& node, std::span<const Shape> shapes);
/// Of the whole graph at a batch size.
std::int64_t macs(const Graph& graph, std::int64_t batch = 1);

}  // namespace linnet::graph
