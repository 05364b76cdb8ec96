// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shape rule of every op, and shapes of what is not a Graph yet. Private to graph.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "linnet/autograd/recorder.h"
#include "linnet/core/op.h"
#include "linnet/core/shape.h"
#include "linnet/core/state.h"
#include "linnet/core/window.h"
#include "linnet/graph/graph.h"

namespace linnet::graph {

/// What a rule is given.
struct Call {
  Op op;
  std::vector<Shape> in;
  State attributes;

  const char* text() const { return name(op).data(); }  // the names are literals
  std::int64_t number(std::string_view attribute) const { return attributes[attribute].integer(); }
  int axis(int rank) const { return normalize_axis(text(), static_cast<int>(number("axis")), rank); }
  std::vector<int> list(std::string_view attribute) const;
  Pair pair(std::string_view attribute) const;
};

struct Rule {
  std::size_t least, most;      ///< number of inputs
  Shape (*shape)(const Call&);  ///< GraphError when the inputs do not fit; nullptr for an op of the user
};
Rule rule_of(Op op);

/// As infer_shapes() of a Graph; the sizes of results are not looked at, but for those of a user's op.
std::vector<Shape> infer_shapes(const std::vector<Value>& values, const std::vector<Node>& nodes,
                                std::int64_t batch);

}  // namespace linnet::graph
