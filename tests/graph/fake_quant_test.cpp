// SPDX-License-Identifier: Apache-2.0
// Rounding in graphs, which may come from files of strangers.
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/graph/graph_module.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using graph::Graph;
using graph::GraphModule;
using graph::Kind;

namespace {

State attributes(bool symmetric, int bits = 8) {
  return {{"bits", bits}, {"symmetric", symmetric ? 1 : 0}, {"momentum", 0.5}, {"frozen", 0}};
}

/// y = fake_quant(x [B, 4], range).
Graph rounding(Kind kind, std::int64_t numbers, const State& state) {
  graph::Value x{.kind = Kind::input, .name = "x", .dtype = f32, .sizes = {-1, 4}, .contents = {}};
  graph::Value range{.kind = kind, .name = "range", .dtype = f32, .sizes = {numbers}, .contents = {}};
  graph::Value y{.kind = Kind::result, .name = "", .dtype = f32, .sizes = {-1, 4}, .contents = {}};
  graph::Node node{.op = Op::fake_quant, .custom = "", .attributes = state, .inputs = {0, 1}, .output = 2};
  return Graph({x, range, y}, {node}, 2);
}

}  // namespace

TEST_CASE("a range moves in training as the op moves it, and stays once it is frozen") {
  GraphModule module(rounding(Kind::buffer, 2, attributes(false)));
  const Tensor x = Tensor::from({{-1, 0, 1, 3}}), wide = Tensor::from({{-2, 0, 1, 5}});
  module(x);
  module(wide);
  CHECK_SAME_BITS(module.buffers()[0].second, Tensor::from({-1.5, 4}));
  module.freeze("*range");
  module(x);
  CHECK_SAME_BITS(module.buffers()[0].second, Tensor::from({-1.5, 4}));
  module.unfreeze("*range");
  module.eval();
  module(x);
  CHECK_SAME_BITS(module.buffers()[0].second, Tensor::from({-1.5, 4}));
}

TEST_CASE("graphs whose roundings make no sense are refused") {
  CHECK_THROWS_TEXT(GraphModule(rounding(Kind::parameter, 2, attributes(false))), GraphError,
                    "GraphModule: fake_quant would move a range that is no buffer.");
  const auto refused = [](std::int64_t numbers, const State& state, const char* text) {
    CHECK_THROWS_WITH_AS(rounding(Kind::buffer, numbers, state), doctest::Contains(text), GraphError);
  };
  refused(3, attributes(false), "range [3] does not fit x [");
  refused(2, attributes(false, 9), "bits must be in 2..8, got 9.");
  refused(2, State{{"bits", 8}}, "attribute symmetric goes with a range.");
  refused(2, State{{"symmetric", 0}, {"momentum", 0.5}, {"frozen", 0}}, "attribute bits is missing.");
}
