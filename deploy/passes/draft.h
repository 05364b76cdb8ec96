// SPDX-License-Identifier: Apache-2.0
#pragma once
// A Graph while passes change it. Parameters and buffers are constants; nodes stand in running order but
// write to any place; what the output does not need stays until graph(), and no longer counts as a reader.
// Private to deploy.

#include <cstddef>
#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::deploy {

class Draft {
 public:
  /// StateError for a parameter that is missing, GraphError for one of another shape or type.
  Draft(const graph::Graph& graph, const State& parameters);
  /// Without what the output does not need; inputs all stay. Constants in the order of reading.
  graph::Graph graph() const;

  const std::vector<graph::Value>& values() const { return values_; }
  const std::vector<graph::Node>& nodes() const { return nodes_; }
  int output() const { return output_; }

  bool is_constant(int value) const { return values_[value].kind == graph::Kind::constant; }
  /// False once the output does not need it any more.
  bool is_live(std::size_t node) const;
  /// The node that writes it; -1 for inputs and constants.
  int writer(int value) const;
  /// How often live nodes read it, and once more when it is the output.
  int readers(int value) const;
  /// The one live node that reads it, once; -1 when there are others or it is the output.
  int only_reader(int value) const;

  int add_constant(const Tensor& contents);
  /// A node before the node `at`; its result, of type and sizes of the value `like`.
  int insert(std::size_t at, Op op, std::vector<int> inputs, int like);
  /// Whoever reads `value` reads `by` from now on.
  void replace(int value, int by);
  void set_inputs(std::size_t node, std::vector<int> inputs);
  void set_op(std::size_t node, Op op, State attributes);
  /// Keeps these nodes, in this order, and drops the others.
  void set_order(const std::vector<std::size_t>& nodes);

 private:
  void index() const;

  std::vector<graph::Value> values_;
  std::vector<graph::Node> nodes_;
  int output_ = -1;

  // What follows from the above, made when it is asked for.
  mutable bool indexed_ = false;
  mutable std::vector<bool> live_;       ///< by node
  mutable std::vector<int> writer_;      ///< by value
  mutable std::vector<int> readers_;     ///< by value
  mutable std::vector<int> one_reader_;  ///< by value: some live node that reads it
};

}  // namespace linnet::deploy
