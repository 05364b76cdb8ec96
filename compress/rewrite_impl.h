// SPDX-License-Identifier: Apache-2.0
#pragma once
// A graph written anew from its first node to its last, with nodes added or left out. Private to compress.

#include <vector>

#include "linnet/graph/graph.h"

namespace linnet::compress {

/// Who writes the values of a graph, and who reads them. The graph outlives it.
class Links {
 public:
  explicit Links(const graph::Graph& graph);

  const graph::Graph& graph() const { return graph_; }
  /// The node that writes a value; nullptr for inputs, parameters, buffers and constants.
  const graph::Node* writer(int value) const { return graph_.writer(value); }
  /// The one node that reads it, once; nullptr when there are others or it is the output.
  const graph::Node* only_reader(int value) const;

 private:
  const graph::Graph& graph_;
  std::vector<const graph::Node*> reader_;
  std::vector<int> readers_;
};

class Rewrite {
 public:
  /// Begins with all values but the results.
  explicit Rewrite(const graph::Graph& graph);

  /// Where a value of the old graph is now; put() sends its readers elsewhere.
  int at(int old) const { return at_[static_cast<std::size_t>(old)]; }
  void put(int old, int now) { at_[static_cast<std::size_t>(old)] = now; }

  /// A parameter, buffer or constant.
  int add(graph::Value value);
  int add_node(Op op, State attributes, std::vector<int> inputs, graph::Sizes sizes);
  /// The node with the inputs given, else where they are now; its result is put where the old one was.
  int copy(const graph::Node& node);
  int copy(const graph::Node& node, std::vector<int> inputs);
  /// Leaves out a parameter or buffer that no node reads any more.
  void drop(int old);

  /// GraphError as of the constructor of Graph.
  graph::Graph graph() const;

 private:
  const graph::Graph& old_;
  std::vector<graph::Value> values_;  ///< in any order
  std::vector<bool> dropped_;
  std::vector<graph::Node> nodes_;
  std::vector<int> at_;
};

/// Places of the weights among the inputs of an op, whose rows make the channels of its result: of products,
/// convolutions, recurrent layers and embeddings. Empty for other ops.
std::vector<std::size_t> weight_places(Op op);
/// The f32 parameter that an input is, or of which it is a reshape with the same rows, rounded or not; -1
/// when it is none.
int parameter_behind(const Links& links, int value);
/// "fc1" of an op with weights, also of a reshaped one; else the name of the op.
std::string layer_name(const Links& links, const graph::Node& node);

}  // namespace linnet::compress
