// SPDX-License-Identifier: Apache-2.0
#include "recipes.h"

#include <algorithm>

#include "linnet/core/error.h"
#include "linnet/nn/nn.h"
#include "linnet/nn/zoo/mobilenet.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

const auto he = nn::init::he_uniform;  // before ReLU

// In braces the layers are made from left to right; in parentheses each compiler may draw the weights in its
// own order.
nn::Sequential mnist_mlp() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128, {.weight_init = he}), nn::ReLU(), nn::Dropout(0.2),
                        nn::Dense(128, 10)};
}

nn::Sequential mnist_cnn() {
  return nn::Sequential{nn::Conv2D(1, 32, {.kernel = 3, .weight_init = he}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Conv2D(32, 64, {.kernel = 3, .weight_init = he}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Flatten(),
                        nn::Dense(1600, 64, {.weight_init = he}),
                        nn::ReLU(),
                        nn::Dense(64, 10)};
}

/// Five convolutions with batch-norm; the map is halved three times.
nn::Sequential cifar10_cnn() {
  nn::Sequential net;
  std::int64_t in = 3;
  const auto add_block = [&](std::int64_t out) {
    net.add(nn::Conv2D(in, out, {.kernel = 3, .padding = nn::same, .bias = false, .weight_init = he}));
    net.add(nn::BatchNorm(out));
    net.add(nn::ReLU());
    in = out;
  };
  add_block(32);
  net.add(nn::MaxPool2D({.kernel = 2}));
  add_block(64);
  net.add(nn::MaxPool2D({.kernel = 2}));
  add_block(128);
  add_block(128);
  net.add(nn::MaxPool2D({.kernel = 2}));
  add_block(256);
  net.add(nn::GlobalAvgPool2D());
  net.add(nn::Dropout(0.2));
  net.add(nn::Dense(in, 10));
  return net;
}

nn::Sequential mobilenet_v1_025() {
  return nn::zoo::mobilenet_v1({.width = 0.25, .classes = 10, .first_stride = 1});
}

/// Every step of the LSTM counts, not only its last.
nn::Sequential har_lstm() {
  return nn::Sequential{nn::LSTM(9, 64, {.return_sequences = true}), nn::GlobalAvgPool1D(), nn::Dropout(0.3),
                        nn::Dense(64, 6)};
}

nn::Sequential har_gru() {
  return nn::Sequential{nn::GRU(9, 64, {.return_sequences = true}), nn::GlobalAvgPool1D(), nn::Dropout(0.3),
                        nn::Dense(64, 6)};
}

nn::Sequential har_conv() {
  nn::Sequential net;
  std::int64_t in = 9;
  const auto add_block = [&](std::int64_t out) {
    net.add(nn::Conv1D(in, out, {.kernel = 5, .padding = nn::same, .bias = false, .weight_init = he}));
    net.add(nn::BatchNorm(out));
    net.add(nn::ReLU());
    in = out;
  };
  add_block(64);
  net.add(nn::MaxPool1D());
  add_block(128);
  net.add(nn::MaxPool1D());
  add_block(128);
  net.add(nn::GlobalAvgPool1D());
  net.add(nn::Dropout(0.5));
  net.add(nn::Dense(in, 6));
  return net;
}

/// y = scale x: a batch-norm whose statistics say so and never change. Weights stay of the size that
/// optimizers are made for while the model's output is in the unit of the targets; the exporter folds it.
nn::BatchNorm in_units_of(double scale) {
  nn::BatchNorm fixed(1, {.eps = 1e-12, .affine = false, .frozen = true});
  fixed.running_var.fill_(1.0 / (scale * scale));
  return fixed;
}

/// The convolution averages what five cycles measure.
nn::Sequential cmapss_lstm() {
  return nn::Sequential{nn::Conv1D(14, 32, {.kernel = 5, .padding = nn::same, .weight_init = he}),
                        nn::ReLU(),
                        nn::LSTM(32, 50, {.return_sequences = true}),
                        nn::LSTM(50, 50),
                        nn::Dense(50, 1),
                        in_units_of(125.0)};
}

std::vector<data::Transform> shifts_and_flips() {
  return {data::random_shift({.pixels = 4}), data::random_flip()};
}

std::string recipe_names() {
  std::string names;
  for (const Recipe& recipe : recipes()) names += (names.empty() ? "" : ", ") + recipe.name;
  return names;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{
      {.name = "mnist-mlp", .dataset = "mnist", .build = mnist_mlp},
      {.name = "mnist-cnn", .dataset = "mnist", .build = mnist_cnn},
      {.name = "cifar10-cnn",
       .dataset = "cifar10",
       .build = cifar10_cnn,
       .lr = 5e-3,
       .batch = 64,
       .epochs = 24,
       .loss = nn::CrossEntropy({.label_smoothing = 0.1}),
       .augment = shifts_and_flips(),
       .one_cycle = true},
      {.name = "mobilenet-v1-025",
       .dataset = "cifar10",
       .build = mobilenet_v1_025,
       .lr = 3e-2,
       .batch = 32,
       .epochs = 20,
       .loss = nn::CrossEntropy({.label_smoothing = 0.1}),
       .augment = shifts_and_flips(),
       .one_cycle = true},
      {.name = "har-lstm",
       .dataset = "uci_har",
       .build = har_lstm,
       .lr = 3e-3,
       .batch = 64,
       .epochs = 25,
       .standardise = true,
       .one_cycle = true},
      {.name = "har-gru",
       .dataset = "uci_har",
       .build = har_gru,
       .lr = 3e-3,
       .batch = 64,
       .epochs = 25,
       .standardise = true,
       .one_cycle = true},
      {.name = "har-conv",
       .dataset = "uci_har",
       .build = har_conv,
       .lr = 2e-3,
       .batch = 64,
       .epochs = 20,
       .standardise = true,
       .one_cycle = true},
      {.name = "cmapss-lstm",
       .dataset = "cmapss",
       .build = cmapss_lstm,
       .lr = 2e-3,
       .batch = 128,
       .epochs = 8,
       .loss = mse,
       .augment = {data::random_noise({.deviation = 0.3})},
       .task = "regression",
       .standardise = true,
       .one_cycle = true},
  };
  return all;
}

const Recipe& find_recipe(const std::string& name) {
  for (const Recipe& recipe : recipes())
    if (recipe.name == name) return recipe;
  fail<ValueError>("train: unknown recipe ", name, ". There are: ", recipe_names(), ".");
}

optim::Schedule Recipe::schedule(std::int64_t samples) const {
  if (!one_cycle) return {};
  const std::int64_t steps = epochs * ((samples - 1) / batch + 1);
  return optim::one_cycle_lr({.steps = std::max<std::int64_t>(steps, 2)});
}

State Recipe::about(const data::Standardiser& scale) const {
  State about{{"recipe", name},
              {"task", task},
              {"dataset", dataset},
              {"preprocess", scale.empty() ? "pixels/255" : kStandardise}};
  if (!scale.empty()) about.set("preprocessing", scale.state());
  return about;
}

}  // namespace linnet::tools
