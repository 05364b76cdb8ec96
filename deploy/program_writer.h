// SPDX-License-Identifier: Apache-2.0
#pragma once
// A Program while it is being written: slots in the order in which they turn up. Private to deploy.

#include <map>

#include "linnet/deploy/lower.h"

namespace linnet::deploy {

class ProgramWriter {
 public:
  ProgramWriter(const graph::Graph& graph, const State& parameters, std::vector<Shape> shapes,
                std::vector<int> sources, std::vector<bool> constants, int output, int layout);

  /// The ops of one node. GraphError for a weight that is no constant.
  void add(const graph::Node& node);
  /// Last readers, what works in place, and the order of the file.
  Program finish();

 private:
  using Params = std::vector<std::uint32_t>;
  const graph::Value& value(int place) const { return graph_.values()[place]; }
  /// Of a parameter, a constant, or what an op makes of nothing else.
  Tensor contents(int place) const;

  int new_slot(int kind, int dtype, const Shape& shape);
  int constant(const Tensor& contents);
  int slot_of(int place, int layout);
  std::vector<int> slots_of(const graph::Node& node, std::size_t weights, int layout);
  void check_weights(const graph::Node& node, std::size_t first) const;
  void write(const graph::Node& node, std::uint16_t opcode, std::vector<int> reads, Params params);

  void add_convolution(const graph::Node& node, const State& attributes);
  void add_pool(const graph::Node& node, const State& attributes);
  void add_recurrent(const graph::Node& node, const State& attributes);
  void add_reduction(const graph::Node& node, const State& attributes);
  void add_concat(const graph::Node& node, const State& attributes);
  void add_pad(const graph::Node& node, const State& attributes);
  void add_batch_norm(const graph::Node& node, const State& attributes);
  bool add_layout(const graph::Node& node, const State& attributes);
  void add_structured(const graph::Node& node, const State& attributes);

  Program numbered() const;

  const graph::Graph& graph_;
  const State& parameters_;
  std::vector<Shape> shapes_;
  std::vector<int> source_;     ///< each value, or the one it is the same as
  std::vector<bool> constant_;  ///< values that do not depend on an input
  int output_;
  int layout_;
  std::map<std::pair<int, int>, int> slots_;  ///< by value and layout
  Program program_;
};

/// 0 for an op that is not elementwise, of one tensor or two.
std::uint16_t elementwise_opcode(Op op);

}  // namespace linnet::deploy
