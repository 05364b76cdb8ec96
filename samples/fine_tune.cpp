// SPDX-License-Identifier: Apache-2.0
// Fine-tuning on the board: a network that knows the digits 0 to 4 learns 5 to 9 from 20 examples of each.
// Its backbone is frozen, so only the new last layer is computed backwards and stored anew; the C++ of the
// network is not needed, the checkpoint is.
//
//   fine_tune [--smoke]
//
// Expect: test accuracy above 85 % on 5 to 9 after fine-tuning. --smoke: the first network sees fewer digits.
#include <cstdio>
#include <cstring>

#include "linnet/linnet.h"

using namespace linnet;

namespace {

/// At the factory: a network for the digits 0 to 4.
void train_first(const data::Dataset& digits, const std::string& file) {
  nn::Sequential model{nn::Conv2D(1, 16), nn::ReLU(),      nn::MaxPool2D(), nn::Conv2D(16, 32),
                       nn::ReLU(),        nn::MaxPool2D(), nn::Flatten(),   nn::Dense(800, 5)};
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  train::Trainer trainer(model, adam, {.loss = cross_entropy, .metrics = {accuracy}, .checkpoint = file});
  trainer.fit(digits, {.epochs = 2, .batch = 32});
}

/// On the board: the same backbone, a new last layer, a few examples.
double fine_tune(const std::string& file, const data::Dataset& few, const data::Dataset& held_out) {
  const State saved = io::load(file);
  const auto old = graph::GraphModule::from(saved["graph"], saved["model"]);
  graph::GraphModule model = graph::with_new_head(old, 5);
  model.freeze();
  for (const std::string& name : graph::head_parameters(model.graph())) model.unfreeze(name);

  optim::Adam adam(model.parameters(), {.lr = 3e-3});
  train::Trainer trainer(model, adam,
                         {.loss = cross_entropy, .metrics = {accuracy}, .checkpoint = "fine_tuned.ckpt"});
  trainer.fit(few, {.epochs = 40, .batch = 20});
  deploy::write(model, "fine_tuned.linnet");
  return trainer.evaluate(held_out)[1].second;
}

int run(bool smoke) {
  const data::SyntheticDigits all(data::Split::train), test(data::Split::test);
  const data::Subset some(all, smoke ? 3000 : all.size());
  const data::OfClasses first(some, {0, 1, 2, 3, 4}), few(all, {5, 6, 7, 8, 9}, {.per_class = 20}),
      held_out(test, {5, 6, 7, 8, 9});

  manual_seed(42);
  train_first(first, "factory.ckpt");
  const double reached = fine_tune("factory.ckpt", few, held_out), expected = 0.85;
  std::printf(
      "test accuracy on 5 to 9 %.4f, expected above %.2f; wrote fine_tuned.ckpt and fine_tuned.linnet\n",
      reached, expected);
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
