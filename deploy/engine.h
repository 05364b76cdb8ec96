// SPDX-License-Identifier: Apache-2.0
#pragma once
// Engine: an exported model on this machine. The integers of a quantized model are computed by the runtime
// and nowhere else, so this is how they are evaluated.
//
//   deploy::Engine engine(deploy::build(graph, state, {.golden_cases = 0}).bytes);
//   Tensor y = engine.run(x);  // any batch

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "linnet/data/dataset.h"
#include "linnet/graph/graph_module.h"

namespace linnet::deploy {

class Engine {
 public:
  /// Copies the bytes of a model file, once a lane: so many threads may run samples at a time, with the same
  /// bits. GraphError with the runtime's text when it refuses them, ValueError for fewer than one lane.
  explicit Engine(std::span<const std::uint8_t> image, int lanes = 1);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// Inputs by port, N samples each, of f32 or any whole numbers; the output [N, ...], f32 or i32. ShapeError
  /// and DTypeError for inputs that do not fit, ValueError when a run finds an index outside its table.
  Tensor run(std::span<const Tensor> inputs);
  Tensor run(const Tensor& x) { return run(std::span(&x, 1)); }
  /// Those of a board without vector instructions, in place of the best that this processor has.
  void use_plain_kernels();
  std::size_t arena_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// How the integers of a quantized model agree with the graph that simulates them by fake_quant.
struct Agreement {
  std::int64_t outputs = 0, samples = 0;
  std::int64_t within_one_step = 0;  ///< outputs at most one step of their scale apart
  std::int64_t equal = 0;            ///< outputs
  std::int64_t same_largest = 0;     ///< samples whose largest output is at the same place
  double largest_steps = 0.0;        ///< the largest difference

  double share_within() const { return outputs > 0 ? double(within_one_step) / double(outputs) : 1.0; }
  double share_same_largest() const { return samples > 0 ? double(same_largest) / double(samples) : 1.0; }
};

/// True when the output is rounded by a fake_quant with a range, as agreement() wants it.
bool rounds_output(const graph::Graph& graph);

/// Builds the model, and runs both on inputs [N, ...]. The scale of the output is that of the fake_quant that
/// gives it, perhaps reshaped. ValueError for a graph whose output is not rounded.
Agreement agreement(const graph::GraphModule& model, std::span<const Tensor> inputs);
Agreement agreement(const graph::GraphModule& model, const Tensor& x);
Agreement agreement(const graph::GraphModule& model, const data::Dataset& dataset);

}  // namespace linnet::deploy
