// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/sequential.h"

#include <type_traits>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

static_assert(std::is_constructible_v<nn::Sequential, nn::Dense, nn::ReLU>);
static_assert(!std::is_constructible_v<nn::Sequential, nn::Dense&, nn::ReLU>,
              "layers are moved in, never copied");
static_assert(!std::is_constructible_v<nn::Sequential, nn::Module>, "only layers have a forward");
static_assert(std::is_move_constructible_v<nn::Sequential> && !std::is_copy_constructible_v<nn::Sequential>);

TEST_CASE("layers run in order") {
  nn::Sequential model{nn::Dense(1, 1, {.weight_init = nn::init::constant(-2.0)}), nn::ReLU(),
                       nn::Dense(1, 1, {.weight_init = nn::init::constant(3.0)})};
  CHECK_CLOSE(model(Tensor::from({-1, 1}, {2, 1})), Tensor::from({6, 0}, {2, 1}), tol::exact);
}

TEST_CASE("built up one by one, it is the same as built at once") {
  manual_seed(1);
  nn::Sequential at_once{nn::Dense(3, 4), nn::ReLU(), nn::Dense(4, 2)};
  manual_seed(1);
  nn::Sequential built;
  CHECK(built.size() == 0);
  const Tensor x = random_tensor({2, 3}, 1);
  CHECK(built(x).same_as(x));
  nn::Dense first(3, 4);
  built.add(std::move(first)).add(nn::ReLU()).add(std::make_unique<nn::Dense>(4, 2));
  CHECK(built.size() == 3);
  CHECK(built.state() == at_once.state());
  CHECK_SAME_BITS(built(x), at_once(x));
}

TEST_CASE("a Sequential is a layer of another, and names follow the nesting") {
  nn::Sequential model{nn::Sequential{nn::Dense(3, 4), nn::ReLU()}, nn::Dense(4, 2)};
  CHECK(model.size() == 2);
  std::vector<std::string> names;
  for (const NamedTensor& parameter : model.parameters()) names.push_back(parameter.first);
  CHECK(names == std::vector<std::string>{"0.0.weight", "0.0.bias", "1.weight", "1.bias"});
}

TEST_CASE("an added layer takes the mode of the whole") {
  nn::Sequential model;
  model.eval();
  model.add(nn::Dropout(0.5));
  CHECK_FALSE(model[0].training());
}

TEST_CASE("a missing layer and a place that is not there are refused") {
  nn::Sequential model{nn::ReLU()};
  CHECK_THROWS_TEXT(model.add(std::unique_ptr<nn::Layer>()), ValueError,
                    "Sequential: a layer is missing: null pointer for layer 1. Pass a layer that exists.");
  CHECK_THROWS_TEXT(model[1], ValueError, "Sequential: no such layer: 1 of 1. Layers count from 0.");
  CHECK_THROWS_TEXT(model[-1], ValueError, "Sequential: no such layer: -1 of 1. Layers count from 0.");
}

TEST_CASE("an error inside names the innermost layer with its full path") {
  nn::Sequential model{nn::Flatten(), nn::Sequential{nn::Dense(784, 128), nn::ReLU()}};
  model.parameters();
  CHECK_THROWS_TEXT(
      model(Tensor::ones({2, 5, 5, 1})), ShapeError,
      "dense: the last axis of x must have 784 elements: x [2, 25], weight [128, 784]. Flatten the input "
      "first?  in 1.0 (Dense 784 -> 128)");
}

TEST_CASE("the forward of a class derived from a layer counts, also before a ReLU") {
  struct Half : nn::Dense {
    using nn::Dense::Dense;
    Tensor forward(const Tensor& x) override { return nn::Dense::forward(x) * 0.5; }
  };
  nn::Sequential half{Half(1, 1, {.weight_init = nn::init::constant(4.0)}), nn::ReLU()};
  CHECK_CLOSE(half(Tensor::ones({1, 1})), Tensor::full({1, 1}, 2.0), tol::exact);
}

TEST_CASE("batch-norm, ReLU and a convolution in a row give what they give one by one, behind a ReLU too") {
  const auto make = [] {
    manual_seed(5);
    return nn::Sequential{nn::BatchNorm(8),  nn::ReLU(),       nn::DepthwiseConv2D(8, {.kernel = 3}),
                          nn::BatchNorm(8),  nn::ReLU(),       nn::SeparableConv2D(8, 16, {.kernel = 3}),
                          nn::BatchNorm(16), nn::ReLU(),       nn::Conv2D(16, 4, {.kernel = 1}),
                          nn::ReLU(),        nn::BatchNorm(4), nn::ReLU()};
  };
  nn::Sequential fused = make(), single = make();
  for (const bool training : {true, false}) {
    fused.train(training);
    single.train(training);
    Tensor x = random_tensor({5, 60, 60, 8}, 1);
    const Tensor y = fused(x);
    for (std::int64_t i = 0; i < single.size(); ++i) x = single[i](x);
    CHECK_SAME_BITS(y, x);
    for (const Tensor& result : {y, x}) backward(sum(square(result)));
    const NamedTensors expected = single.parameters();
    std::size_t i = 0;
    for (const auto& entry : fused.parameters()) {
      const auto& name = entry.first;
      const auto& parameter = entry.second;
      CAPTURE(name);
      CHECK_SAME_BITS(parameter.grad(), expected[i++].second.grad());
    }
    CHECK(fused.state() == single.state());
    fused.zero_grad();
    single.zero_grad();
  }
}

TEST_CASE("an error of a batch-norm before a ReLU and a convolution is its own") {
  nn::Sequential model{nn::BatchNorm(3), nn::ReLU(), nn::Conv2D(4, 2, {.kernel = 1})};
  model.parameters();
  CHECK_THROWS_TEXT(
      model(Tensor::ones({2, 5, 5, 4})), ShapeError,
      "batch_norm: x of shape [2, 5, 5, 4] needs running_mean of shape [4], got [3]. Channels are "
      "the last axis.  in 0 (BatchNorm 3)");
  nn::Sequential fits{nn::BatchNorm(4), nn::ReLU(), nn::Conv2D(4, 2, {.kernel = 1})};
  fits.parameters();
  CHECK_THROWS_TEXT(
      fits(Tensor::ones({0, 5, 5, 4})), ShapeError,
      "batch_norm: no values to take statistics of: x has shape [0, 5, 5, 4].  in 0 (BatchNorm 4)");
}

TEST_CASE("a convolution behind a frozen batch-norm may change between two forwards and their backwards") {
  nn::Sequential model{nn::BatchNorm(4), nn::ReLU(), nn::Conv2D(4, 2, {.kernel = 1})};
  model.freeze("0.*");
  const Tensor first = model(random_tensor({2, 5, 5, 4}, 1)), second = model(random_tensor({2, 5, 5, 4}, 2));
  backward(sum(first));
  for (const auto& parameter : model.parameters())
    if (parameter.second.requires_grad()) Tensor(parameter.second).mul_(2.0);
  backward(sum(second));  // of inputs that want no gradient: the weight is not read
  CHECK(model.parameters().back().second.grad().defined());
}

}  // namespace
}  // namespace linnet::test
