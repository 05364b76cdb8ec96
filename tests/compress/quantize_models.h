// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small problems and nets of the tests of quantization.

#include <string>

#include "linnet/autograd/ops.h"
#include "linnet/compress/evaluate.h"
#include "linnet/data/dataset.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/fixtures.h"

namespace linnet::test {

/// Images [8, 8, 1] of four classes: a bright square in one of the corners, in noise.
inline data::TensorDataset corners(std::int64_t count, std::uint64_t seed) {
  Tensor x = random_tensor({count, 8, 8, 1}, seed, 0.0, 0.8);
  const Tensor y = random_labels({count}, seed + 1, 4);
  const auto pixels = x.mutable_data<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = y.data<std::int64_t>()[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < 16; ++k)
      pixels[static_cast<std::size_t>(i * 64 + (at / 2 * 4 + k / 4) * 8 + at % 2 * 4 + k % 4)] += 0.25f;
  }
  return {x, y};
}

/// Made once, of another seed than what nets are trained and calibrated with.
inline const data::TensorDataset& unseen_corners() {
  static const data::TensorDataset dataset = corners(800, 77);
  return dataset;
}

inline nn::Sequential corner_net() {
  return nn::Sequential{nn::Conv2D(1, 6), nn::BatchNorm(6),  nn::ReLU(), nn::MaxPool2D(),
                        nn::Flatten(),    nn::Dense(54, 16), nn::ReLU(), nn::Dense(16, 4)};
}

template <class M>
void fit(M& model, const data::Dataset& dataset, std::int64_t epochs, double lr = 0.01,
         train::TrainerOptions options = {}) {
  optim::Adam adam(model.parameters(), {.lr = lr});
  options.loss = cross_entropy;
  options.show = train::Show::nothing;
  train::Trainer trainer(model, adam, std::move(options));
  trainer.fit(dataset, {.epochs = epochs, .batch = 32});
}

/// A trained net as a graph, in evaluation mode; made once.
inline const graph::GraphModule& trained_corner_net() {
  static const graph::GraphModule trained = [] {
    manual_seed(5);
    nn::Sequential net = corner_net();
    fit(net, corners(1000, 1), 4);
    graph::GraphModule model(graph::trace(net, {1, 8, 8, 1}), net.state());
    model.eval();
    return model;
  }();
  return trained;
}

inline graph::GraphModule copy_of(const graph::GraphModule& model) {
  graph::GraphModule copy(model.graph(), model.state());
  copy.train(model.training());
  return copy;
}

/// By simulation.
inline double accuracy_of(const graph::GraphModule& model, const data::Dataset& dataset) {
  graph::GraphModule copy = copy_of(model);
  return compress::simulate(copy, dataset).value().value;
}

}  // namespace linnet::test
