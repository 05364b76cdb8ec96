// SPDX-License-Identifier: Apache-2.0
#pragma once
// A Program while it is being written: slots in the order in which they turn up. Private to deploy.

#include <map>

#include "linnet/deploy/lower.h"

namespace linnet::deploy {

/// The graph, and what Lower has found out about it.
struct LoweredGraph {
  const graph::Graph& graph;
  const State& parameters;
  std::vector<Shape> shapes;
  std::vector<int> sources;     ///< each value, or the one it is the same as
  std::vector<bool> constants;  ///< values that do not depend on an input
  int output;
  int layout;  ///< of weights, where kernels read it
};

class ProgramWriter {
 public:
  explicit ProgramWriter(LoweredGraph of);
  ProgramWriter(const ProgramWriter&) = delete;
  virtual ~ProgramWriter() = default;

  /// The ops of one node. GraphError for a weight that is no constant.
  virtual void add(const graph::Node& node);
  /// Last readers, what works in place, and the order of the file.
  virtual Program finish();

 protected:
  using Params = std::vector<std::uint32_t>;
  const graph::Value& value(int place) const { return of_.graph.values()[place]; }
  /// Of a parameter, a constant, or what an op makes of nothing else.
  Tensor contents(int place) const;

  int new_slot(int kind, int dtype, const Shape& shape);
  int constant(const Tensor& contents);
  virtual int slot_of(int place, int layout);
  std::vector<int> slots_of(const graph::Node& node, std::size_t weights, int layout);
  void check_weights(const graph::Node& node, std::size_t first) const;
  /// The op that computes a node's result.
  virtual void write(const graph::Node& node, std::uint16_t opcode, std::vector<int> reads, Params params);
  void append_step(std::uint16_t opcode, std::vector<int> reads, int writes, Params params);
  /// Scratch of the last op: so many bytes, rounded up to 4.
  void add_scratch(std::int64_t bytes);

  /// The first 9 parameters of LNT_CONV2D.
  Params window_params(const graph::Node& node, const State& attributes) const;
  /// The parameters of a pool, or of a mean of rows and columns or of steps as one.
  Params pool_params(const graph::Node& node, const State& attributes) const;
  static std::uint32_t recurrent_flags(const graph::Node& node, const State& attributes);
  /// Parts, joined in steps until there are no more than an op can read.
  std::vector<int> few_parts(std::vector<int> parts, std::int64_t axis);

 private:
  void add_convolution(const graph::Node& node, const State& attributes);
  void add_transposed_convolution(const graph::Node& node, const State& attributes);
  void add_recurrent(const graph::Node& node, const State& attributes);
  void add_reduction(const graph::Node& node, const State& attributes);
  void add_concat(const graph::Node& node, const State& attributes);
  void add_pad(const graph::Node& node, const State& attributes);
  void add_batch_norm(const graph::Node& node, const State& attributes);
  bool add_layout(const graph::Node& node, const State& attributes);
  void add_structured(const graph::Node& node, const State& attributes);

  Program numbered() const;

 protected:
  const LoweredGraph of_;
  std::map<std::pair<int, int>, int> slots_;  ///< by value and layout
  Program program_;
};

/// ACT: an elementwise op fused behind a node.
void append_activation(std::vector<std::uint32_t>& params, const State& attributes);

/// 0 for an op that is not elementwise, of one tensor or two.
std::uint16_t elementwise_opcode(Op op);

}  // namespace linnet::deploy
