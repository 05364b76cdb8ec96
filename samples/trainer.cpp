// SPDX-License-Identifier: Apache-2.0
// The same training as samples/mnist.cpp with the Trainer, which brings a progress bar, validation,
// checkpoints, resuming and a clean stop on SIGTERM; then writes an inference build.
//
//   trainer [--smoke]
//
// Expect: test accuracy above 97 % after 5 epochs of the synthetic digits. --smoke: one epoch of 3,000; fails
// below 85 %.
#include <cstdio>
#include <cstring>

#include "linnet/linnet.h"

using namespace linnet;

namespace {

int run(bool smoke) {
  data::SyntheticDigits all(data::Split::train), held_out(data::Split::test);
  data::Subset digits(all, smoke ? 3000 : all.size());

  manual_seed(42);
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});

  train::Trainer trainer(model, adam,
                         {.loss = cross_entropy, .metrics = {accuracy}, .checkpoint = "trainer.ckpt"});
  trainer.fit(digits, {.epochs = smoke ? 1 : 5, .batch = 32, .validate = held_out});

  deploy::write(graph::trace(model, {1, 28, 28, 1}), model.state(), "trainer.linnet");

  double reached = trainer.evaluate(held_out)[1].second, expected = smoke ? 0.85 : 0.97;
  std::printf("test accuracy %.4f, expected above %.2f; wrote trainer.ckpt and trainer.linnet\n", reached,
              expected);
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
