// SPDX-License-Identifier: Apache-2.0
// Preprocessing written as xtensor expressions, without a copy on the way in; a small network is trained on
// what comes out.
//
//   xtensor_preprocessing [--smoke]
//
// Expect: test accuracy above 96 % after 3 epochs of the synthetic digits. --smoke: one epoch of 3,000; fails
// below 85 %.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

#include <xtensor/xmath.hpp>

#include "linnet/core/xtensor.h"
#include "linnet/linnet.h"

using namespace linnet;

namespace {

/// Images of any shape, f32 in 0..1: the square root lifts faint strokes, then everything is brought to mean
/// 0 and deviation 1. view() reads the tensor where it is; from() evaluates the expression into a fresh one.
Tensor prepared(const Tensor& images) {
  const auto pixels = view<float>(images);
  const xt::xarray<float> lifted = xt::sqrt(pixels);
  const auto mean = static_cast<float>(xt::mean<double>(lifted)());
  const auto deviation = static_cast<float>(std::sqrt(xt::mean<double>(xt::square(lifted - mean))()));
  return from((lifted - mean) / deviation);
}

data::TensorDataset prepared(const data::Dataset& digits, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  const data::Batch all = digits.batch(indices);
  return data::TensorDataset(prepared(all.x), all.y);
}

int run(bool smoke) {
  const data::SyntheticDigits drawn(data::Split::train), drawn_test(data::Split::test);
  const data::TensorDataset training = prepared(drawn, smoke ? 3000 : drawn.size());
  const data::TensorDataset held_out = prepared(drawn_test, drawn_test.size());

  manual_seed(42);
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10)};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  train::Trainer trainer(model, adam, {.loss = cross_entropy, .metrics = {accuracy}});
  trainer.fit(training, {.epochs = smoke ? 1 : 3, .batch = 32});

  const double reached = trainer.evaluate(held_out)[1].second, expected = smoke ? 0.85 : 0.96;
  std::printf("test accuracy %.4f, expected above %.2f\n", reached, expected);
  return reached > expected ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 && std::strcmp(argv[1], "--smoke") == 0);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
