// SPDX-License-Identifier: Apache-2.0
// The GraphModule of every layer of the catalog.
#include <algorithm>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/infer.h"
#include "linnet/graph/trace.h"
#include "linnet/optim/sgd.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

using Call = std::function<Tensor(std::span<const Tensor>)>;

graph::Graph traced(nn::Module& layer, const LayerCase& row) {
  std::vector<graph::InputSpec> inputs;
  for (const LayerInput& input : row.inputs)
    inputs.push_back({input.sample.inserted(0, 1), input.below ? i64 : f32});
  return graph::trace(
      layer, [&](std::span<const Tensor> x) { return row.call(layer, x); }, inputs);
}

Call call_of(nn::Module& layer, const LayerCase& row) {
  return [&](std::span<const Tensor> x) { return row.call(layer, x); };
}
Call call_of(graph::GraphModule& copy) {
  return [&](std::span<const Tensor> x) { return copy.forward(x); };
}

void check_same_outputs(nn::Module& layer, graph::GraphModule& copy, const LayerCase& row) {
  for (const bool training : {false, true}) {
    layer.train(training);
    copy.train(training);
    for (const std::int64_t batch : {1, 3, 7}) {
      if (training && batch < row.smallest_training_batch) continue;
      CAPTURE(training);
      CAPTURE(batch);
      const std::vector<Tensor> x = layer_inputs(row, batch, 5);
      manual_seed(11);
      const Tensor expected = row.call(layer, x);
      const State after = rng_state();
      manual_seed(11);
      CHECK_SAME_BITS(copy.forward(x), expected);
      CHECK(rng_state() == after);
      CHECK(copy.state() == layer.state());
      CHECK(graph::infer_shapes(copy.graph(), batch)[copy.graph().output()] == expected.shape());
    }
  }
}

/// The losses of five steps and the gradients of the inputs on the way.
std::vector<Tensor> train(nn::Module& module, const Call& call, const LayerCase& row) {
  manual_seed(3);
  std::vector<Tensor> seen;
  for (std::uint64_t step = 0; step < 5; ++step) {
    const std::vector<Tensor> x =
        layer_inputs(row, std::max<std::int64_t>(3, row.smallest_training_batch), 100 + step);
    for (Tensor input : x)
      if (is_float(input.dtype())) input.set_requires_grad(true);
    const Tensor y = call(x), loss = mean(square(y) + y);
    module.zero_grad();
    backward(loss);
    if (module.parameter_count() > 0) optim::SGD(module.parameters(), {.lr = 0.0625}).step();
    seen.push_back(loss.detach());
    for (const Tensor& input : x)
      if (is_float(input.dtype())) seen.push_back(input.grad());
  }
  return seen;
}

void check_same_training(nn::Module& layer, graph::GraphModule& copy, const LayerCase& row) {
  layer.train();
  copy.train();
  const std::vector<Tensor> expected = train(layer, call_of(layer, row), row),
                            actual = train(copy, call_of(copy), row);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK_SAME_BITS(actual[i], expected[i]);
  CHECK(copy.state() == layer.state());
}

TEST_CASE(
    "a GraphModule of every layer gives its bits at any batch in both modes, trains as it does, and saves") {
  manual_seed(1);
  for (const LayerCase& row : layer_catalog()) {
    CAPTURE(row.describe);
    const std::unique_ptr<nn::Module> layer = row.make();
    const State graph = traced(*layer, row).state();
    graph::GraphModule copy = graph::GraphModule::from(graph, layer->state());
    CHECK(copy.state() == layer->state());
    check_same_outputs(*layer, copy, row);
    check_same_training(*layer, copy, row);

    graph::GraphModule again = graph::GraphModule::from(graph, copy.state());
    CHECK(again.state() == copy.state());
    const std::unique_ptr<nn::Module> back = row.make();
    back->load(again.state());
    CHECK(back->state() == layer->state());
  }
}

}  // namespace
}  // namespace linnet::test
