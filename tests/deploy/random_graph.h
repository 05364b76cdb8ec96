// SPDX-License-Identifier: Apache-2.0
#pragma once
// Graphs drawn from a seed out of every op that a file can hold: branches, odd sizes, strides, dilation,
// groups. A graph is a list of steps, so a failing one can be made smaller and written down.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "linnet/core/op.h"
#include "linnet/core/tensor.h"

namespace linnet::test {

/// A call of one op, or of a few that keep its arguments where it is well behaved.
struct GraphStep {
  int kind = 0;                       ///< of step_kinds()
  std::vector<int> in;                ///< values: 0 is the input, k + 1 what step k gives
  std::vector<std::int64_t> numbers;  ///< what the kind is told
  std::vector<Tensor> weights;
};

struct RandomGraph {
  std::uint64_t seed = 0;
  Shape input;  ///< with a batch of 1
  std::vector<GraphStep> steps;

  /// Every value that no step reads, flattened and joined: [N, ...].
  Tensor run(const Tensor& x) const;
  /// With weights of products and recurrent steps, and with values (0 the input, k + 1 of step k), as these
  /// functions change them.
  Tensor run(const Tensor& x, const std::function<Tensor(const Tensor&)>& weight,
             const std::function<Tensor(std::size_t, const Tensor&)>& value) const;
  /// One line a step.
  std::string str() const;
};

RandomGraph random_graph(std::uint64_t seed);

/// What the steps are named after, and the number of kinds.
int step_kinds();
std::string step_name(int kind);

/// Steps are left out, one after the other, as long as `fails` still says true.
template <class Fails>
RandomGraph shrunk(RandomGraph graph, Fails fails);

/// The graph without step k: who read it reads what it read; false when the shapes do not allow it.
bool without_step(const RandomGraph& graph, std::size_t k, RandomGraph& smaller);

template <class Fails>
RandomGraph shrunk(RandomGraph graph, Fails fails) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t k = graph.steps.size(); k-- > 0 && !again;) {
      RandomGraph smaller;
      again = without_step(graph, k, smaller) && fails(smaller);
      if (again) graph = smaller;
    }
  }
  return graph;
}

}  // namespace linnet::test
