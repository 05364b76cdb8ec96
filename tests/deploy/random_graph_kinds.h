// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kinds of steps of random graphs: how each is drawn and called.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "linnet/autograd/ops.h"
#include "random_graph.h"
#include "support/fixtures.h"

namespace linnet::test {

/// Draws for one graph.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 2654435761u + 12345u) {}
  /// low .. high
  std::int64_t any(std::int64_t low, std::int64_t high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return any(0, 1) == 1; }
  Tensor weight(const Shape& shape, double scale = 1.0) {
    const double size = std::max(1.0, static_cast<double>(shape.size()) / static_cast<double>(shape[0]));
    const double limit = scale * (shape.rank() > 1 ? std::min(1.0, 2.0 / std::sqrt(size)) : 0.5);
    return random_tensor(shape, static_cast<std::uint64_t>(any(1, 1 << 30)), -limit, limit);
  }
  Tensor positive(const Shape& shape) {
    return random_tensor(shape, static_cast<std::uint64_t>(any(1, 1 << 30)), 0.5, 1.5);
  }

 private:
  std::uint64_t state_;
};

using Arguments = std::vector<Tensor>;

/// How a kind is drawn for arguments of the rank that it takes, and how it is called.
struct Kind {
  std::string name;
  int rank;  ///< of its arguments; 0 for any
  int arity;
  std::function<void(Draw&, const Arguments&, GraphStep&)> draw;
  std::function<Tensor(const GraphStep&, const Arguments&)> call;
};

/// The weight of that number; undefined when the step drew none.
inline Tensor optional(const GraphStep& s, std::size_t at) {
  return at < s.weights.size() ? s.weights[at] : Tensor();
}

// By family, each in random_graph_values.cpp or random_graph_layers.cpp.
void add_elementwise_kinds(std::vector<Kind>& kinds);
void add_layer_kinds(std::vector<Kind>& kinds);      ///< products, windows, recurrent
void add_reduction_kinds(std::vector<Kind>& kinds);  ///< and normalisation
void add_move_kinds(std::vector<Kind>& kinds);

}  // namespace linnet::test
