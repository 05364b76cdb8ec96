// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every layer must do, checked the same way for all of them.

#include <memory>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/sgd.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {

struct LayerFacts {
  std::string describe;
  std::int64_t parameters = 0;  ///< numbers, not tensors
  Shape sample;                 ///< one input, without the batch axis
  bool whole_batch = false;     ///< samples are not independent: softmax over axis 0
};

namespace layer_checks {

inline Shape batched(const LayerFacts& facts, std::int64_t n) { return facts.sample.inserted(0, n); }

inline void declares_itself(nn::Layer& layer, const LayerFacts& facts) {
  CHECK(layer.describe() == facts.describe);
  CHECK(layer.str().starts_with(facts.describe));
  CHECK(layer.parameter_count() == facts.parameters);
  for (const NamedTensor& parameter : layer.parameters()) {
    CAPTURE(parameter.first);
    CHECK(parameter.second.requires_grad());
    CHECK(parameter.second.dtype() == f32);
  }
}

/// Every parameter gets a gradient and changes after one step.
inline void trains(nn::Layer& layer, const LayerFacts& facts) {
  Tensor x = random_tensor(batched(facts, 3), 1).set_requires_grad(true);
  NamedTensors before;
  for (const auto& [name, parameter] : layer.parameters()) before.emplace_back(name, parameter.clone());
  backward(sum(square(layer(x))) + sum(layer(x)));
  REQUIRE(x.grad().defined());
  CHECK(x.grad().shape() == x.shape());
  if (before.empty()) return;

  optim::SGD(layer.parameters(), {.lr = 0.125}).step();
  const NamedTensors after = layer.parameters();
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CAPTURE(after[i].first);
    REQUIRE(after[i].second.grad().defined());
    CHECK_FALSE(bit_difference(after[i].second, before[i].second).empty());
  }
  layer.zero_grad();
  for (const NamedTensor& parameter : layer.parameters()) CHECK_FALSE(parameter.second.grad().defined());
}

/// State into a fresh layer gives the same state and the same outputs; eval draws nothing.
template <class Make>
void saves_and_evaluates(nn::Layer& layer, const LayerFacts& facts, const Make& make) {
  const std::unique_ptr<nn::Layer> fresh = make();
  fresh->load(layer.state());
  CHECK(fresh->state() == layer.state());

  layer.eval();
  fresh->eval();
  const Tensor x = random_tensor(batched(facts, 3), 2);
  const State generator = rng_state();
  const Tensor y = layer(x);
  CHECK_SAME_BITS(layer(x), y);
  CHECK_SAME_BITS((*fresh)(x), y);
  CHECK(rng_state() == generator);
}

/// In eval mode sample i has the same bits alone and in any batch.
inline void batch_independent(nn::Layer& layer, const LayerFacts& facts) {
  layer.eval();
  constexpr std::int64_t kMost = 33;
  const Tensor x = random_tensor(batched(facts, kMost), 3);
  const Tensor all = layer(x);
  for (const std::int64_t n : {1, 2, 7, 32})
    for (const std::int64_t first : {std::int64_t{0}, std::int64_t{1}, kMost - n}) {
      CAPTURE(n);
      CAPTURE(first);
      CHECK_SAME_BITS(layer(slice(x, 0, first, first + n)), slice(all, 0, first, first + n));
    }
}

/// Central differences in f64 for the input and every parameter, in both modes.
inline void gradients_are_right(nn::Layer& layer, const LayerFacts& facts) {
  layer.to(f64);
  std::vector<Tensor> inputs{random_tensor(batched(facts, 2), 4, -1.0, 1.0, f64).set_requires_grad(true)};
  for (const NamedTensor& parameter : layer.parameters()) inputs.push_back(parameter.second);
  for (const bool training : {true, false}) {
    layer.train(training);
    const GradcheckResult result =
        gradcheck([&](const std::vector<Tensor>& in) { return square(layer(in[0])); }, inputs);
    CHECK_MESSAGE(result.ok, result.report);
  }
  layer.to(f32);
}

}  // namespace layer_checks

/// `make` returns a std::unique_ptr to a new layer, with newly drawn weights.
template <class Make>
void check_layer(const LayerFacts& facts, const Make& make) {
  CAPTURE(facts.describe);
  const std::unique_ptr<nn::Layer> layer = make();
  layer_checks::declares_itself(*layer, facts);
  layer_checks::trains(*layer, facts);
  layer_checks::saves_and_evaluates(*layer, facts, make);
  if (!facts.whole_batch) layer_checks::batch_independent(*layer, facts);
  layer_checks::gradients_are_right(*layer, facts);
}

}  // namespace linnet::test
