// SPDX-License-Identifier: Apache-2.0
// Arenas of whole networks beside their lower bound; those of the recipes are in tests/tools, of the smaller
// models of the zoo in zoo_test.cpp. That no two tensors in them overlap is lnt_check's to say.
#include <algorithm>
#include <vector>

#include "board.h"
#include "linnet/autograd/autograd.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "random_net.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet {
namespace {

/// The file is good, and its arena within 5 % of the lower bound; returns the ratio.
template <class M>
double check_arena(M& model, const Shape& input, const deploy::Options& options = {}) {
  const deploy::Image image = deploy::build(graph::trace(model, input), model.state(), options);
  test::Board board(image.bytes);
  CHECK(board.text() == "no error. Go on.");
  CHECK(board.info().arena_bytes == static_cast<std::size_t>(image.report.arena_bytes));
  CHECK(image.report.arena_bytes >= image.report.lower_bound);
  CHECK(image.report.arena_bytes * 100 <= image.report.lower_bound * 105);
  return static_cast<double>(image.report.arena_bytes) / static_cast<double>(image.report.lower_bound);
}

TEST_CASE("residual blocks that shrink the image run in the arena of the lower bound") {
  nn::Sequential model;
  std::int64_t in = 8;
  model.add(nn::Conv2D(3, in, {.padding = nn::same}));
  for (const std::int64_t out : {8, 16, 32}) {
    model.add(nn::Residual(
        nn::Sequential{nn::Conv2D(in, out, {.stride = 2, .padding = nn::same}), nn::BatchNorm(out),
                       nn::ReLU(), nn::Conv2D(out, out, {.padding = nn::same}), nn::BatchNorm(out)},
        nn::Conv2D(in, out, {.kernel = 1, .stride = 2})));
    model.add(nn::ReLU());
    in = out;
  }
  model.add(nn::GlobalAvgPool2D());
  CHECK(check_arena(model, {1, 32, 32, 3}) == 1.0);
}

TEST_SUITE("long") {  // the small ones of the zoo are run, too, in zoo_test.cpp
  TEST_CASE("the arenas of full-size zoo models are within 5 % of the lower bound") {
    for (const test::ZooCase& row : test::zoo_catalog()) {
      if (!row.full_size) continue;
      CAPTURE(row.name);
      const std::unique_ptr<nn::Layer> model = row.make();
      check_arena(*model, row.sample.inserted(0, 1), {.golden_cases = 0});
    }
  }
}

struct RandomNet : nn::Module {
  explicit RandomNet(std::uint64_t s) : seed(s) {}
  Tensor operator()(const Tensor& x) { return test::run_random_net(seed, x); }
  std::uint64_t seed;
};

TEST_CASE("random networks with branches run in arenas within 5 % of the lower bound") {
  NoGrad no_grad;
  double sum = 0.0;
  const int nets = 100;
  for (std::uint64_t seed = 1; seed <= nets; ++seed) {
    CAPTURE(seed);
    RandomNet net(seed);
    sum += check_arena(net, {1, 8, 7, 4});
    test::Board board(deploy::build(graph::trace(net, {1, 8, 7, 4}), {}).bytes);
    const Tensor x = test::random_tensor({1, 8, 7, 4}, seed);
    CHECK(test::nmse(board.run(x), net(x)) < 1e-10);
  }
  CHECK(sum / nets < 1.002);
}

}  // namespace
}  // namespace linnet
