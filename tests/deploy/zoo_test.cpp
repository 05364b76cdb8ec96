// SPDX-License-Identifier: Apache-2.0
// Every network of the zoo, trained a step, exported and run.
#include "board.h"
#include "linnet/autograd/autograd.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet::test {
namespace {

/// A step, and running statistics of some data: with those that batch-norm starts with, MobileNetV2 on 32x32
/// is so ill-conditioned that f32 and f64 already differ by 4e-8.
void make_ordinary(nn::Layer& model, const ZooCase& row) {
  train_zoo_step(model, row);
  NoGrad no_grad;
  for (std::uint64_t seed = 101; seed < 104; ++seed) model(zoo_input(row, 8, seed));
  model.eval();
}

TEST_CASE("every zoo model runs from its file as it does in evaluation, in an arena near the lower bound") {
  for (const ZooCase& row : zoo_catalog()) {
    if (row.full_size) continue;
    CAPTURE(row.name);
    manual_seed(1);
    const std::unique_ptr<nn::Layer> model = row.make();
    make_ordinary(*model, row);
    const deploy::Image image =
        deploy::build(graph::trace(*model, row.sample.inserted(0, 1)), model->state());
    CHECK(image.report.arena_bytes * 100 <= image.report.lower_bound * 105);
    Board board(image.bytes);
    REQUIRE(board.text() == "no error. Go on.");
    const Tensor x = zoo_input(row, 1, 5);
    NoGrad no_grad;
    const Tensor expected = (*model)(x);
    for (const lnt_isa isa : Board::isas()) {
      CAPTURE(isa);
      board.set_isa(isa);
      CHECK(board.self_test() == "no error. Go on.");
      const Tensor actual = board.run(x);
      CHECK(actual.shape() == expected.shape());
      CHECK(nmse(actual, expected) < 1e-10);
    }
  }
}

}  // namespace
}  // namespace linnet::test
