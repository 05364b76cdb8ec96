// SPDX-License-Identifier: Apache-2.0
// The training loop of the README, run for N epochs at once, and cut in two by a checkpoint: the same bytes.
#include "linnet/linnet.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

struct Example {
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
  optim::Adam adam{model.parameters(), {.lr = 1e-3}};
  data::Loader batches;

  explicit Example(const data::Dataset& digits) : batches(digits, {.batch = 32, .shuffle = true}) {}

  void train(int epochs) {
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      for (const auto& [x, y] : batches) {
        Tensor loss = cross_entropy(model(x), y);
        adam.zero_grad();
        backward(loss);
        adam.step();
      }
    }
  }

  void save(const std::string& path) {
    io::save(path, {{"model", model.state()},
                    {"optimizer", adam.state()},
                    {"loader", batches.state()},
                    {"rng", rng_state()},
                    {"graph", graph::trace(model, {1, 28, 28, 1}).state()}});
  }
};

}  // namespace

TEST_CASE("the public example: N epochs equal half, save, load into fresh objects, and the rest") {
  test::TemporaryFolder folder;
  data::SyntheticDigits digits({.count = 500, .seed = 9});
  manual_seed(42);
  Example straight(digits);
  straight.train(4);
  straight.save(folder / "straight.ckpt");

  manual_seed(42);
  Example half(digits);
  half.train(2);
  half.save(folder / "mnist.ckpt");

  manual_seed(7);
  Example fresh(digits);
  auto c = io::load(folder / "mnist.ckpt");
  fresh.model.load(c["model"]);
  fresh.adam.load(c["optimizer"]);
  fresh.batches.load(c["loader"]);
  set_rng_state(c["rng"]);
  fresh.train(2);
  fresh.save(folder / "resumed.ckpt");
  CHECK(test::read_bytes(folder / "resumed.ckpt") == test::read_bytes(folder / "straight.ckpt"));
}
