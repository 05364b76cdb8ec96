// SPDX-License-Identifier: Apache-2.0
// The network of every recipe, from trained weights to the board. A new recipe needs a row only when its
// dataset is new.
#include "../../tools/recipes.h"

#include <map>

#include "deploy/board.h"
#include "linnet/linnet.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::test;

namespace {

/// Shape of one sample, and how many classes or numbers are predicted.
struct Samples {
  Shape shape;
  std::int64_t outputs;
};
const std::map<std::string, Samples> kSamples{{"mnist", {{28, 28, 1}, 10}},
                                              {"cifar10", {{32, 32, 3}, 10}},
                                              {"uci_har", {{128, 9}, 6}},
                                              {"cmapss", {{30, 14}, 1}}};

/// Running statistics are no longer those of an untrained network.
void run_in_training(nn::Sequential& model, const Shape& sample) {
  const NoGrad no_grad;
  model.train();
  for (std::uint64_t seed = 0; seed < 3; ++seed) model(random_tensor(sample.inserted(0, 8), seed, 0.0, 1.0));
  model.eval();
}

}  // namespace

TEST_CASE(
    "every recipe's network runs from its file as it does in evaluation, in an arena near the lower bound") {
  for (const tools::Recipe& recipe : tools::recipes()) {
    CAPTURE(recipe.name);
    REQUIRE_MESSAGE(kSamples.count(recipe.dataset) == 1, "no row for the samples of ", recipe.dataset);
    const Samples& samples = kSamples.at(recipe.dataset);
    manual_seed(1);
    nn::Sequential model = recipe.build();
    run_in_training(model, samples.shape);
    const deploy::Image image =
        deploy::build(graph::trace(model, samples.shape.inserted(0, 1)), model.state());
    CHECK(image.report.arena_bytes >= image.report.lower_bound);
    CHECK(image.report.arena_bytes * 100 <= image.report.lower_bound * 105);
    Board board(image.bytes);
    REQUIRE(board.text() == "no error. Go on.");
    CHECK(board.info().arena_bytes == static_cast<std::size_t>(image.report.arena_bytes));
    const NoGrad no_grad;
    for (const lnt_isa isa : Board::isas()) {
      CAPTURE(isa);
      board.set_isa(isa);
      CHECK(board.self_test() == "no error. Go on.");
      for (std::uint64_t seed = 10; seed < 13; ++seed) {
        const Tensor x = random_tensor(samples.shape.inserted(0, 1), seed, 0.0, 1.0), expected = model(x);
        CHECK(expected.size() == samples.outputs);
        CHECK(nmse(board.run(x), expected) < 1e-10);
      }
    }
  }
}
