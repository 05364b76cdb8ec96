// SPDX-License-Identifier: Apache-2.0
// Every layer of the catalog, exported and run.
#include <algorithm>

#include "board.h"
#include "linnet/autograd/autograd.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

graph::Graph traced(nn::Module& layer, const LayerCase& row) {
  std::vector<graph::InputSpec> inputs;
  for (const LayerInput& input : row.inputs)
    inputs.push_back({input.sample.inserted(0, 1), input.below ? i64 : f32});
  return graph::trace(
      layer, [&](std::span<const Tensor> x) { return row.call(layer, x); }, inputs);
}

/// Running statistics are those of some data, weights and biases those of nobody's initialiser.
void make_ordinary(nn::Module& layer, const LayerCase& row) {
  layer.train();
  const std::int64_t batch = std::max<std::int64_t>(4, row.smallest_training_batch);
  for (std::uint64_t seed = 0; seed < 3; ++seed) row.call(layer, layer_inputs(row, batch, seed));
  for (const auto& [name, parameter] : layer.parameters()) {
    Tensor weight = parameter;
    const Tensor noise = random_tensor(weight.shape(), 77, -0.3, 0.3);
    auto to = weight.mutable_data<float>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += noise.data<float>()[i];
  }
  layer.eval();
}

/// True when there is something to run: Dropout and Flatten of one axis may leave nothing.
bool check_on_board(nn::Module& layer, const LayerCase& row, bool plain) {
  deploy::Image image;
  try {
    image = deploy::build(traced(layer, row), layer.state(), {.plain = plain, .optimise = !plain});
  } catch (const GraphError& error) {
    CHECK(std::string(error.what()) == "deploy: the graph has no op left to run.");
    return false;
  }
  Board board(image.bytes);
  REQUIRE(board.text() == "no error. Go on.");
  for (const lnt_isa isa : Board::isas()) {
    CAPTURE(isa);
    board.set_isa(isa);
    CHECK(board.self_test() == "no error. Go on.");
    for (std::uint64_t seed = 10; seed < 15; ++seed) {
      const std::vector<Tensor> x = layer_inputs(row, 1, seed);
      NoGrad no_grad;
      const Tensor expected = row.call(layer, x), actual = board.run(x);
      CHECK(actual.shape() == expected.shape());
      CHECK(nmse(actual, expected) < 1e-10);
    }
  }
  return true;
}

TEST_CASE("every layer runs on every instruction set as it does in evaluation, in both layouts of weights") {
  manual_seed(1);
  std::vector<std::string> nothing_to_run;
  for (const LayerCase& row : layer_catalog()) {
    CAPTURE(row.describe);
    const std::unique_ptr<nn::Module> layer = row.make();
    make_ordinary(*layer, row);
    const bool runs = check_on_board(*layer, row, false);
    check_on_board(*layer, row, true);
    if (!runs) nothing_to_run.push_back(layer_class(row));
  }
  for (const std::string& name : nothing_to_run) {
    CAPTURE(name);
    CHECK((name.find("Dropout") != std::string::npos || name == "GaussianNoise" || name == "Flatten"));
  }
}

}  // namespace
}  // namespace linnet::test
