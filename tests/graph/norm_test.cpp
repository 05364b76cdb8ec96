// SPDX-License-Identifier: Apache-2.0
// Graphs of layers with running statistics, and of layers that read whole numbers.
#include <memory>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using graph::GraphModule;

template <class M>
void train(M& model, int steps) {
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  for (int step = 0; step < steps; ++step) {
    sgd.zero_grad();
    backward(mean(square(model(test::random_tensor({6, 5}, static_cast<std::uint64_t>(step))))));
    sgd.step();
  }
}

TEST_CASE("tracing a BatchNorm in either mode leaves its statistics, and records one op with its buffers") {
  nn::Sequential model{nn::Dense(5, 4), nn::BatchNorm(4),
                       nn::BatchNorm(4, {.affine = false, .frozen = true})};
  train(model, 2);
  const State before = model.state();
  std::vector<Tensor> contents;
  for (const NamedTensor& buffer : model.buffers()) contents.push_back(buffer.second.clone());
  std::vector<graph::Graph> graphs;
  for (const bool training : {true, false}) {
    model.train(training);
    graphs.push_back(graph::trace(model, {1, 5}));
    CHECK(model.state() == before);
    for (std::size_t i = 0; i < contents.size(); ++i) CHECK_SAME_BITS(model.buffers()[i].second, contents[i]);
  }
  CHECK(graphs[0].state() == graphs[1].state());
  REQUIRE(graphs[0].nodes().size() == 3);
  CHECK(graphs[0].nodes()[1].op == Op::batch_norm);
  CHECK(graphs[0].nodes()[1].inputs.size() == 5);
  CHECK(graphs[0].nodes()[2].inputs.size() == 3);
  CHECK(graphs[0].nodes()[2].attributes["frozen"].integer() == 1);
}

TEST_CASE("a GraphModule that is frozen by name trains as the module that is, and traces as frozen") {
  nn::Sequential model{nn::Dense(5, 4), nn::BatchNorm(4), nn::ReLU(), nn::Dense(4, 4), nn::BatchNorm(4)};
  train(model, 2);
  const auto module = std::make_unique<GraphModule>(graph::trace(model, {1, 5}), model.state());
  for (nn::Module* m : {static_cast<nn::Module*>(&model), static_cast<nn::Module*>(module.get())}) {
    m->train();
    m->freeze("0.*");
    m->freeze("1.*");
  }
  const Tensor kept = model.buffers()[0].second.clone(), moved = model.buffers()[2].second.clone();
  train(model, 3);
  train(*module, 3);
  CHECK(module->state() == model.state());
  CHECK_SAME_BITS(module->buffers()[0].second, kept);
  CHECK_FALSE(test::bit_difference(module->buffers()[2].second, moved).empty());
  CHECK(graph::trace(*module, {1, 5}).state() == graph::trace(model, {1, 5}).state());
  module->unfreeze("1.*");
  train(*module, 1);
  CHECK_FALSE(test::bit_difference(module->buffers()[0].second, kept).empty());
}

TEST_CASE("a GraphModule moves statistics of its own exactly as the module moves its") {
  nn::Sequential model{nn::Dense(5, 4), nn::BatchNorm(4), nn::ReLU(), nn::Dense(4, 2)};
  train(model, 1);
  GraphModule copy = GraphModule::from(graph::trace(model, {1, 5}).state(), model.state());
  const State before = model.state();
  const Tensor mean = model.buffers()[0].second.clone();
  train(copy, 5);
  CHECK_SAME_BITS(model.buffers()[0].second, mean);
  CHECK_FALSE(copy.state() == before);
  train(model, 5);
  CHECK(copy.state() == model.state());
  model.eval();
  copy.eval();
  const Tensor x = test::random_tensor({3, 5}, 50);
  CHECK_SAME_BITS(copy(x), model(x));
  CHECK(copy.state() == model.state());
}

TEST_CASE("statistics that are no buffer of the module cannot be traced while they move") {
  struct Loose : nn::Module {
    Tensor mean = Tensor::zeros({5}), variance = Tensor::ones({5});
    Tensor operator()(const Tensor& x) { return batch_norm(x, mean, variance, {}, {}, {}, training()); }
  } model;
  CHECK_THROWS_TEXT(
      graph::trace(model, {1, 5}), GraphError,
      "trace: a tensor that batch_norm reads is no input, parameter or result, and was changed in place. "
      "Name it as a buffer in members().");
}

TEST_CASE("an Embedding is traced with whole numbers, and trains from its graph") {
  nn::Sequential model{nn::Embedding(7, 5, {.padding_idx = 2}), nn::LayerNorm(5), nn::Dense(5, 1)};
  GraphModule copy(graph::trace(model, std::vector<graph::InputSpec>{{{1, 4}, i64, "words"}}), model.state());
  const Tensor words = test::random_labels({3, 4}, 1, 7);
  CHECK_SAME_BITS(copy(words), model(words));
  for (nn::Module* either : {static_cast<nn::Module*>(&model), static_cast<nn::Module*>(&copy)}) {
    auto& layer = dynamic_cast<nn::Layer&>(*either);
    optim::SGD sgd(layer.parameters(), {.lr = 0.5});
    for (int step = 0; step < 3; ++step) {
      sgd.zero_grad();
      backward(mean(square(layer(words) - 1.0)));
      sgd.step();
    }
  }
  CHECK(copy.state() == model.state());
  CHECK_THROWS_TEXT(
      copy(Tensor::full({1, 4}, 9, i64)), ValueError,
      "embedding: index 9 at position 0 is outside 0..6. The table has 7 rows.  in 0 (embedding)");
}

TEST_CASE("spatial dropout and noise whose results are not needed keep the numbers of the next one") {
  struct Unused : nn::Module {
    Tensor operator()(const Tensor& x) {
      spatial_dropout(x, 0.5, training());
      gaussian_noise(x, 0.5, training());
      return spatial_dropout(x, 0.5, training());
    }
  } model;
  GraphModule copy(graph::trace(model, {1, 3, 8}), model.state());
  const Tensor x = Tensor::ones({4, 3, 8});
  manual_seed(3);
  const Tensor y = model(x);
  manual_seed(3);
  CHECK_SAME_BITS(copy(x), y);
}

}  // namespace
}  // namespace linnet
