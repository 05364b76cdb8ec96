// SPDX-License-Identifier: Apache-2.0
// Trains a small network on handwritten digits with a training loop of its own, and saves a checkpoint that
// `linnet eval`, `linnet export` and this program can read.
//
//   mnist [--data DIR] [--smoke]
//
// Expect: test accuracy above 97.5 % after 5 epochs on MNIST. Without MNIST the built-in synthetic digits are
// used.
// --smoke: one epoch on 3,000 synthetic digits; fails below 85 %.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "linnet/linnet.h"

using namespace linnet;

namespace {

struct Arguments {
  std::string data;
  bool smoke = false;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--smoke") == 0) {
      arguments.smoke = true;
    } else if (std::strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
      arguments.data = argv[++i];
    } else {
      fail<ValueError>("mnist: unknown argument ", argv[i], ". Usage: mnist [--data DIR] [--smoke]");
    }
  }
  return arguments;
}

/// Where MNIST is; empty when nobody named a folder and it is in none of the usual ones.
std::string find_mnist(const std::string& named) {
  try {
    return data::find_folder("mnist", named);
  } catch (const IoError&) {
    if (!named.empty()) throw;
    return {};
  }
}

std::unique_ptr<data::Dataset> open_digits(const std::string& folder, data::Split split) {
  if (folder.empty()) return std::make_unique<data::SyntheticDigits>(split);
  return std::make_unique<data::Mnist>(folder, split);
}

double test_accuracy(nn::Sequential& model, const data::Dataset& held_out) {
  NoGrad no_grad;
  model.eval();
  data::Loader batches(held_out, {.batch = 256});
  double right = 0.0;
  for (const auto& [x, y] : batches) right += accuracy(model(x), y) * static_cast<double>(y.dim(0));
  model.train();
  return right / static_cast<double>(held_out.size());
}

int run(const Arguments& arguments) {
  const int epochs = arguments.smoke ? 1 : 5;
  const std::string checkpoint = arguments.smoke ? "mnist_smoke.ckpt" : "mnist.ckpt";
  std::string folder = arguments.smoke ? "" : find_mnist(arguments.data);
  if (folder.empty()) std::puts("MNIST not used: training on the built-in synthetic digits.");
  auto training = open_digits(folder, data::Split::train), held_out = open_digits(folder, data::Split::test);
  data::Subset digits(*training, arguments.smoke ? 3000 : training->size());

  manual_seed(42);
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  data::Loader batches(digits, {.batch = 32, .shuffle = true});

  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [x, y] : batches) {
      Tensor loss = cross_entropy(model(x), y);
      adam.zero_grad();
      backward(loss);
      adam.step();
    }
    std::printf("epoch %d: test accuracy %.4f\n", epoch, test_accuracy(model, *held_out));
  }
  io::save(checkpoint, {{"model", model.state()},
                        {"optimizer", adam.state()},
                        {"loader", batches.state()},
                        {"rng", rng_state()},
                        {"graph", graph::trace(model, {1, 28, 28, 1}).state()}});

  // And back: fresh objects that go on where these stand.
  auto c = io::load(checkpoint);
  model.load(c["model"]);
  adam.load(c["optimizer"]);
  batches.load(c["loader"]);
  set_rng_state(c["rng"]);

  double reached = test_accuracy(model, *held_out), expected = arguments.smoke ? 0.85 : 0.97;
  std::printf("saved %s; test accuracy %.4f, expected above %.2f\n", checkpoint.c_str(), reached, expected);
  return reached > expected ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
