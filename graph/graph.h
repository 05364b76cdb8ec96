// SPDX-License-Identifier: Apache-2.0
#pragma once
// Graph: what a module computes, as a list of ops in running order. Made by trace(), kept in checkpoints, run
// and trained by GraphModule, lowered by deploy.
//
// A Graph is checked when it is made and does not change afterwards: values are written once and before they
// are read, every op has its attributes, and recomputing the shapes for two batch sizes gives the recorded
// ones. So a Graph may come from a damaged or hostile file: it loads and runs, or throws.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "linnet/core/op.h"
#include "linnet/core/state.h"
#include "linnet/core/tensor.h"

namespace linnet::graph {

/// The sizes of a value for every batch: -k stands for k times the batch.
using Sizes = std::vector<std::int64_t>;
Shape at_batch(const Sizes& sizes, std::int64_t batch);
std::string str(const Sizes& sizes);  ///< "[B, 28, 28, 1]", "[4B, 3]"

/// Stored in files by the name that kind_name gives.
enum class Kind : std::uint8_t { input, parameter, buffer, constant, result };
const char* kind_name(Kind kind);

struct Value {
  Kind kind = Kind::result;
  std::string name;  ///< of inputs, parameters and buffers, unique; empty for the others
  DType dtype = f32;
  Sizes sizes;
  Tensor contents;  ///< of constants only
};

struct Node {
  Op op = Op::custom;
  std::string custom;  ///< name of a user's op
  /// As autograd records them, but the integers that name sizes or positions of an axis (reshape, slice, pad)
  /// may be -k for k times the batch.
  State attributes;
  std::vector<int> inputs;  ///< places in values()
  int output = -1;          ///< results are the last values, one a node, in the order of the nodes
};

class Graph {
 public:
  Graph() = default;  ///< no values; GraphModule refuses it
  /// Values: inputs, parameters and buffers, constants, results, each group in its own order. Nodes in
  /// running order. GraphError when anything is out of order.
  Graph(std::vector<Value> values, std::vector<Node> nodes, int output);

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  int output() const { return output_; }
  bool empty() const { return values_.empty(); }

  /// Places of the values of one kind, in order.
  std::vector<int> of_kind(Kind kind) const;
  /// The node that writes a value; nullptr when none does.
  const Node* writer(int value) const;
  /// Elements of all parameters.
  std::int64_t parameter_count() const;
  /// Op or name of the user's op.
  static std::string op_name(const Node& node);
  /// "fc1" for a node that reads fc1.weight; empty when it reads no parameter.
  std::string module_of(const Node& node) const;
  /// "x", "fc1.weight", or "%7" for a value without a name.
  std::string value_name(int value) const;

  /// One line a value and node.
  std::string str() const;
  /// Identity of the graph, constants included and parameter contents left out. Not a protection against
  /// forgery.
  std::array<std::uint8_t, 16> hash() const;

  State state() const;
  /// All or nothing; GraphError or StateError for anything that state() could not have written.
  void load(const State& state);

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  int output_ = -1;
};

/// dense, the convolutions and batch_norm: an elementwise op of one tensor may be fused behind them. The
/// attribute "activation" is its name, "p" and "q" are its numbers. The passes of deploy do so, trace never.
bool takes_activation(Op op);

/// Attributes of a node for one batch size, as apply_op wants them.
State attributes_at(const Node& node, std::int64_t batch);
/// True when they do not depend on the batch.
bool batch_free(const Node& node);

/// The graph without the nodes and constants that the output does not need. Nodes that draw random numbers
/// stay, because the numbers of later ones depend on them.
Graph without_dead_nodes(const Graph& graph);

}  // namespace linnet::graph
