// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every layer must do, checked the same way for all rows of the catalog.

#include <algorithm>
#include <memory>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/autograd/ops.h"
#include "linnet/optim/sgd.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/layer_catalog.h"

namespace linnet::test::layer_checks {

inline void declares_itself(nn::Module& layer, const LayerCase& row) {
  CHECK(layer.describe() == row.describe);
  CHECK(layer.str().starts_with(row.describe));
  CHECK(layer.parameter_count() == row.parameters);
  for (const NamedTensor& parameter : layer.parameters()) {
    CAPTURE(parameter.first);
    CHECK(parameter.second.requires_grad());
    CHECK(parameter.second.dtype() == f32);
  }
}

/// Every parameter and every input of numbers gets a gradient; every parameter changes after one step.
inline void trains(nn::Module& layer, const LayerCase& row) {
  const std::vector<Tensor> x = layer_inputs(row, std::max<std::int64_t>(3, row.smallest_training_batch), 1);
  for (Tensor input : x)
    if (is_float(input.dtype())) input.set_requires_grad(true);
  NamedTensors before;
  for (const auto& [name, parameter] : layer.parameters()) before.emplace_back(name, parameter.clone());
  const Tensor y = row.call(layer, x);
  backward(sum(square(y)) + sum(y));
  for (const Tensor& input : x) {
    if (!is_float(input.dtype())) continue;
    REQUIRE(input.grad().defined());
    CHECK(input.grad().shape() == input.shape());
  }
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

/// State into a fresh layer gives the same state and the same outputs; eval draws and changes nothing.
inline void saves_and_evaluates(nn::Module& layer, const LayerCase& row) {
  const std::unique_ptr<nn::Module> fresh = row.make();
  fresh->load(layer.state());
  CHECK(fresh->state() == layer.state());

  layer.eval();
  fresh->eval();
  const std::vector<Tensor> x = layer_inputs(row, 3, 2);
  const State generator = rng_state();
  const Tensor y = row.call(layer, x);
  CHECK_SAME_BITS(row.call(layer, x), y);
  CHECK_SAME_BITS(row.call(*fresh, x), y);
  CHECK(rng_state() == generator);
  CHECK(fresh->state() == layer.state());
}

/// In eval mode sample i has the same bits alone and in any batch.
inline void batch_independent(nn::Module& layer, const LayerCase& row) {
  layer.eval();
  constexpr std::int64_t kMost = 33;
  const std::vector<Tensor> x = layer_inputs(row, kMost, 3);
  const Tensor all = row.call(layer, x);
  for (const std::int64_t n : {1, 2, 7, 32})
    for (const std::int64_t first : {std::int64_t{0}, std::int64_t{1}, kMost - n}) {
      CAPTURE(n);
      CAPTURE(first);
      std::vector<Tensor> part;
      for (const Tensor& input : x) part.push_back(slice(input, 0, first, first + n));
      CHECK_SAME_BITS(row.call(layer, part), slice(all, 0, first, first + n));
    }
}

/// Central differences in f64 for the inputs of numbers and every parameter, in both modes.
inline void gradients_are_right(nn::Module& layer, const LayerCase& row) {
  layer.to(f64);
  const std::vector<Tensor> x = layer_inputs(row, std::max<std::int64_t>(2, row.smallest_training_batch), 4);
  std::vector<Tensor> checked;  // the inputs of numbers, then the parameters
  for (const Tensor& input : x)
    if (is_float(input.dtype())) checked.push_back(input.to(f64).set_requires_grad(true));
  for (const NamedTensor& parameter : layer.parameters()) checked.push_back(parameter.second);
  const auto call = [&](const std::vector<Tensor>& numbers) {
    std::vector<Tensor> inputs = x;
    std::size_t next = 0;
    for (Tensor& input : inputs)
      if (is_float(input.dtype())) input = numbers[next++];
    return square(row.call(layer, inputs));
  };
  for (const bool training : {true, false}) {
    layer.train(training);
    const GradcheckResult result = gradcheck(call, checked);
    CHECK_MESSAGE(result.ok, result.report);
  }
}

}  // namespace linnet::test::layer_checks
