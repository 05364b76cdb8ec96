// SPDX-License-Identifier: Apache-2.0
#pragma once
// GraphModule: a Graph that runs and trains, without the C++ of the module it was traced from.
//
//   auto c = io::load("mnist.ckpt");
//   graph::GraphModule model = graph::GraphModule::from(c["graph"], c["model"]);
//
// It has the parameters and buffers of the traced module under the same names in the same order, so states
// and optimizers go back and forth, and gives the same bits: in evaluation, and in training with the same
// seed.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "linnet/graph/graph.h"
#include "linnet/nn/module.h"

namespace linnet::graph {

class GraphModule : public nn::Layer {
 public:
  /// Parameters and buffers start at zero. GraphError for an empty graph or one with a user's op, which has
  /// no way back from its name to a function.
  explicit GraphModule(Graph graph);
  /// `state` as of Module::state(); StateError prints what does not fit.
  GraphModule(Graph graph, const State& state);
  static GraphModule from(const State& graph, const State& model);

  const Graph& graph() const { return graph_; }

  void members(nn::Members& members) override;
  std::string describe() const override;
  Tensor forward(const Tensor& x) override;
  /// All inputs in the order of the graph; any batch. ShapeError or DTypeError when one does not fit.
  Tensor forward(std::span<const Tensor> inputs) { return forward(inputs, {}); }
  /// Is shown all inputs and results, by their places in graph().values(), as soon as they are there, and may
  /// put others of the same shape in their places.
  using Watch = std::function<void(int value, Tensor& contents)>;
  Tensor forward(std::span<const Tensor> inputs, const Watch& watch);

 protected:
  /// Statistics of a batch_norm, by their mean, and ranges of a fake_quant.
  void freeze_buffer(const Tensor& buffer, bool on) override;

 private:
  std::int64_t check_inputs(std::span<const Tensor> inputs) const;
  void prepare(std::int64_t batch);
  Tensor run(const Node& node, const State& attributes, std::span<const Tensor> values) const;

  Graph graph_;
  std::vector<Tensor> kept_;                 ///< parameters, buffers and constants, in their places
  std::vector<int> last_use_;                ///< of each value: the node after which it can go
  std::vector<std::optional<bool>> frozen_;  ///< of each node, what freeze() has decided
  std::vector<State> attributes_;            ///< of each node at prepared_batch_
  std::int64_t prepared_batch_ = -1;
};

}  // namespace linnet::graph
