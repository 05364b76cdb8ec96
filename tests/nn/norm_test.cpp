// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/norm.h"

#include <cmath>

#include "golden/trajectory.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/nn/nn.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

TEST_CASE("BatchNorm in training has mean 0 and variance 1 in every channel, over all axes but the last") {
  for (const Shape& shape : {Shape{50, 6}, Shape{5, 10, 6}, Shape{2, 5, 5, 6}}) {
    nn::BatchNorm layer(6);
    const Tensor y = layer(random_tensor(shape, 1, -3.0, 9.0)).view({50, 6});
    CHECK_CLOSE(mean(y, 0), Tensor::zeros({6}), tol::f32_accumulated(50));
    CHECK_CLOSE(mean(square(y), 0), Tensor::ones({6}),
                Tolerance({1e-5, 0.0}));  // eps 1e-5 beside variance 12
    // The order of the axes does not matter, only that they are not the last.
    nn::BatchNorm flat(6);
    CHECK_SAME_BITS(flat(random_tensor(shape, 1, -3.0, 9.0).view({50, 6})), y);
    CHECK(flat.state() == layer.state());
  }
}

TEST_CASE("running statistics move by a tenth, with the variance that divides by n - 1") {
  nn::BatchNorm layer(2);
  layer.to(f64);
  layer(Tensor::from({{1, 10}, {3, 30}, {5, 80}}, f64));
  CHECK_CLOSE(layer.running_mean, Tensor::from({0.3, 4.0}, f64), tol::f64);
  CHECK_CLOSE(layer.running_var, Tensor::from({0.9 + 0.1 * 4.0, 0.9 + 0.1 * 1300.0}, f64), tol::f64);
  nn::BatchNorm fast(2, {.momentum = 1.0});
  fast.to(f64);
  fast(Tensor::from({{1, 10}, {3, 30}, {5, 80}}, f64));
  CHECK_CLOSE(fast.running_mean, Tensor::from({3.0, 40.0}), tol::f64);
  CHECK_CLOSE(fast.running_var, Tensor::from({4.0, 1300.0}), tol::f64);
}

TEST_CASE("eval mode uses the running statistics and leaves them") {
  nn::BatchNorm layer(2);
  layer.running_mean.copy_(Tensor::from({1, -2}));
  layer.running_var.copy_(Tensor::from({4, 0.25}));
  layer.weight.copy_(Tensor::from({3, 1}));
  layer.bias.copy_(Tensor::from({0, 5}));
  layer.eval();
  CHECK_CLOSE(layer(Tensor::from({{3, -2}, {1, -1}})), Tensor::from({{3, 5}, {0, 7}}),
              Tolerance({1e-4, 0.0}));
  CHECK_CLOSE(layer.running_mean, Tensor::from({1, -2}), tol::exact);
  CHECK_CLOSE(layer.running_var, Tensor::from({4, 0.25}), tol::exact);
}

TEST_CASE(
    "a frozen BatchNorm computes in training what it computes in eval, and its weight and bias still train") {
  nn::Sequential model{nn::Dense(3, 4), nn::BatchNorm(4), nn::Dense(4, 2)};
  for (int i = 0; i < 3; ++i) model(random_tensor({8, 3}, static_cast<std::uint64_t>(i)));
  nn::freeze_batch_norm(model);
  auto& layer = dynamic_cast<nn::BatchNorm&>(model[1]);
  CHECK(layer.frozen());
  CHECK(layer.describe() == "BatchNorm 4, frozen");
  const Tensor mean_before = layer.running_mean.clone(), var_before = layer.running_var.clone();
  const Tensor x = random_tensor({5, 3}, 9), y = model(x);
  model.eval();
  CHECK_SAME_BITS(model(x), y);
  model.train();
  backward(sum(square(model(x))));
  CHECK(layer.weight.grad().defined());
  CHECK(layer.bias.grad().defined());
  CHECK_SAME_BITS(layer.running_mean, mean_before);
  CHECK_SAME_BITS(layer.running_var, var_before);
  nn::freeze_batch_norm(model, false);
  model(x);
  CHECK_FALSE(bit_difference(layer.running_mean, mean_before).empty());
}

TEST_CASE("one value a channel gives the bias, no gradient to x, and leaves the running variance") {
  for (const DType dtype : {f32, f64}) {
    nn::BatchNorm layer(3);
    layer.bias.copy_(Tensor::from({1, 2, 3}));
    layer.to(dtype);
    const Tensor x = random_tensor({1, 3}, 4, 5.0, 6.0, dtype).set_requires_grad(true);
    const Tensor y = layer(x);
    CHECK_CLOSE(y, Tensor::from({{1, 2, 3}}), tol::exact);
    backward(sum(square(y)));
    CHECK_CLOSE(x.grad(), Tensor::zeros({1, 3}), tol::exact);
    CHECK_CLOSE(layer.running_var, Tensor::ones({3}), tol::exact);
    CHECK_CLOSE(layer.running_mean, (x.detach() * 0.1).view({3}), tol::f32);
  }
}

TEST_CASE("batch 1 of an image is as good as any batch: the positions are the values") {
  nn::BatchNorm layer(2);
  const Tensor y = layer(random_tensor({1, 6, 7, 2}, 5, 4.0, 8.0)).view({42, 2});
  CHECK_CLOSE(mean(y, 0), Tensor::zeros({2}), tol::f32_accumulated(42));
}

TEST_CASE("constant input gives the bias and finite gradients, and a running variance that shrinks") {
  for (const double value : {0.0, 0.1, -7e5, 1e30}) {
    CAPTURE(value);
    nn::BatchNorm layer(3);
    layer.bias.copy_(Tensor::from({1, 2, 3}));
    const Tensor x = Tensor::full({4, 5, 3}, value).set_requires_grad(true);
    const Tensor y = layer(x);
    for (int i = 0; i < 60; ++i) CHECK(y.data<float>()[i] == static_cast<float>(1 + i % 3));
    CHECK_CLOSE(layer.running_var, Tensor::full({3}, 0.9), tol::f32);
    backward(y, {.gradient = random_tensor({4, 5, 3}, 6)});
    for (const float g : x.grad().data<float>()) CHECK(std::isfinite(g));
  }
}

TEST_CASE("large means cost no precision, forward and backward") {
  // Steps of 1/16 around a million are exact in f32, so the answer is that of the same values around 0.
  Tensor x = Tensor::empty({500, 3});
  Rng rng(7, 0);
  for (float& v : x.mutable_data<float>()) v = static_cast<float>(rng.below(64)) / 16.0f;
  const Tensor shifted = x + 1e6, dy = random_tensor({500, 3}, 8);
  Tensor y[2], dx[2];
  for (int i : {0, 1}) {
    const Tensor input = (i ? shifted : x).detach().clone().set_requires_grad(true);
    nn::BatchNorm layer(3);
    y[i] = layer(input);
    backward(y[i], {.gradient = dy});
    dx[i] = input.grad();
  }
  CHECK_CLOSE(y[1], y[0], tol::f32);
  CHECK_CLOSE(dx[1], dx[0], tol::f32);
}

TEST_CASE("normalising layers refuse what does not fit, with a text that says so") {
  nn::BatchNorm batch(8);
  CHECK_THROWS_TEXT(
      batch(Tensor::zeros({2, 5})), ShapeError,
      "batch_norm: x of shape [2, 5] needs running_mean of shape [5], got [8]. Channels are the last "
      "axis.  in BatchNorm 8");
  CHECK_THROWS_TEXT(batch(Tensor::zeros({8})), ShapeError,
                    "batch_norm: x must have a batch axis and channels as its last axis, got shape [8].  in "
                    "BatchNorm 8");
  CHECK_THROWS_TEXT(batch(Tensor::zeros({0, 8})), ShapeError,
                    "batch_norm: no values to take statistics of: x has shape [0, 8].  in BatchNorm 8");
  CHECK_THROWS_TEXT(batch(Tensor::zeros({2, 8}, f64)), DTypeError,
                    "batch_norm: x is f64 but running_mean is f32. Convert one with to().  in BatchNorm 8");
  CHECK_CLOSE(batch.running_mean, Tensor::zeros({8}), tol::exact);
  batch.eval();
  CHECK(batch(Tensor::zeros({0, 8})).shape() == Shape{0, 8});
  CHECK_THROWS_TEXT(nn::BatchNorm(0), ValueError, "BatchNorm: channels must be at least 1, got 0.");
  CHECK_THROWS_TEXT(nn::BatchNorm(2, {.eps = 0.0}), ValueError, "BatchNorm: eps must be above 0, got 0.");
  CHECK_THROWS_TEXT(nn::BatchNorm(2, {.momentum = 1.5}), ValueError,
                    "BatchNorm: momentum must be in [0, 1], got 1.5. It is the share of the new batch.");

  nn::LayerNorm last(6), both(Shape{4, 6}, {.affine = false});
  CHECK_THROWS_TEXT(last(Tensor::zeros({2, 5})), ShapeError,
                    "LayerNorm: the last axes of x must be [6], got shape [2, 5].  in LayerNorm [6]");
  CHECK_THROWS_TEXT(
      both(Tensor::zeros({6})), ShapeError,
      "LayerNorm: the last axes of x must be [4, 6], got shape [6].  in LayerNorm [4, 6], no weight "
      "and bias");
  CHECK_THROWS_TEXT(nn::LayerNorm(0), ValueError,
                    "LayerNorm: the shape must have sizes of at least 1, got [0].");
  CHECK_THROWS_TEXT(nn::LayerNorm(3, {.eps = -1.0}), ValueError, "LayerNorm: eps must be above 0, got -1.");

  nn::GroupNorm groups(2, 6);
  CHECK_THROWS_TEXT(groups(Tensor::zeros({2, 5})), ShapeError,
                    "GroupNorm: x must be [N, ..., 6], got shape [2, 5].  in GroupNorm 6, groups 2");
  CHECK_THROWS_TEXT(nn::GroupNorm(4, 6), ValueError, "GroupNorm: 4 groups do not divide 6 channels.");
  CHECK_THROWS_TEXT(nn::GroupNorm(2, 6, {.eps = 0.0}), ValueError, "GroupNorm: eps must be above 0, got 0.");
}

TEST_CASE("twenty steps of nets with batch-norm behind Dense and Conv2D follow PyTorch to 1e-9") {
  for (const nlohmann::json& golden : golden_cases("norm_trajectories.json")) {
    const auto name = golden["name"].get<std::string>();
    CAPTURE(name);
    const bool dense = name == "Dense + BatchNorm";
    nn::Sequential model =
        dense
            ? nn::Sequential{nn::Dense(6, 8), nn::BatchNorm(8), nn::Tanh(), nn::Dense(8, 3)}
            : nn::Sequential{nn::Conv2D(2, 4), nn::BatchNorm(4), nn::ReLU(), nn::Flatten(), nn::Dense(36, 3)};
    model.to(f64);
    check_trajectory(golden, model.parameters(), [&](const Tensor& x) { return model(x); });
    for (const NamedTensor& buffer : model.buffers())
      CHECK_CLOSE(buffer.second, golden_tensor(golden.at("buffers").at(buffer.first), f64),
                  tol::trajectory64);
  }
}

}  // namespace
}  // namespace linnet::test
