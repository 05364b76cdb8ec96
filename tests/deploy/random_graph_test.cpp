// SPDX-License-Identifier: Apache-2.0
// 200 random graphs on the runtime and on the training side. A failing one is made smaller and saved as
// random_graph_SEED.txt in the folder that the tests run in.
#include "random_graph.h"

#include <cmath>
#include <fstream>
#include <map>

#include "board.h"
#include "linnet/autograd/autograd.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

constexpr std::uint64_t kGraphs = 200;

struct AsModule : nn::Module {
  explicit AsModule(const RandomGraph& g) : graph(g) {}
  Tensor operator()(const Tensor& x) { return graph.run(x); }
  const RandomGraph& graph;
};

/// Empty when all sets, both layouts, and the graph as it is and after the passes agree with the training
/// side.
std::string difference(const RandomGraph& random) {
  AsModule model(random);
  const graph::Graph graph = graph::trace(model, random.input);
  for (const bool plain : {false, true}) {
    Board board(deploy::build(graph, {}, {.plain = plain, .optimise = !plain}).bytes);
    if (board.text() != "no error. Go on.") return board.text();
    for (const lnt_isa isa : Board::isas()) {
      board.set_isa(isa);
      const Tensor x = random_tensor(random.input, random.seed + 1000);
      const double error = nmse(board.run(x), random.run(x));
      if (!(error < 1e-10))
        return concat({"set ", static_cast<int>(isa), plain ? ", plain" : ", blocked", ": error ", error});
      if (board.self_test() != "no error. Go on.")
        return concat(
            {"set ", static_cast<int>(isa), plain ? ", plain: " : ", blocked: ", board.self_test()});
    }
  }
  return {};
}

TEST_CASE(
    "200 random graphs run on every instruction set as on the training side, each kind of op in ten or "
    "more") {
  NoGrad no_grad;
  std::map<std::string, int> times;
  for (std::uint64_t seed = 1; seed <= kGraphs; ++seed) {
    const RandomGraph random = random_graph(seed);
    for (const GraphStep& step : random.steps) ++times[step_name(step.kind)];
    const std::string wrong = difference(random);
    if (wrong.empty()) continue;
    const RandomGraph small = shrunk(random, [](const RandomGraph& g) { return !difference(g).empty(); });
    std::ofstream("random_graph_" + std::to_string(seed) + ".txt")
        << small.str() << difference(small) << "\n";
    FAIL_CHECK("seed ", seed, ": ", wrong, "\n", small.str(), difference(small));
  }
  for (int kind = 0; kind < step_kinds(); ++kind)
    CHECK_MESSAGE(times[step_name(kind)] >= 10, step_name(kind), " occurs ", times[step_name(kind)],
                  " times");
}

TEST_CASE("every op that a file can hold is among the kinds of the random graphs") {
  for (int i = 0; i < kOps; ++i) {
    const Op op = static_cast<Op>(i);
    if (lowering(op) == Lowering::TRAINING_ONLY || op == Op::fake_quant) continue;  // which rounds them
    bool found = false;
    for (int kind = 0; kind < step_kinds(); ++kind) found = found || step_name(kind) == name(op);
    CHECK_MESSAGE(found, name(op));
  }
}

TEST_CASE("a failing graph is shrunk to the step that makes it fail") {
  RandomGraph graph = random_graph(3);
  const int culprit = graph.steps[4].kind;
  const auto fails = [&](const RandomGraph& g) {
    for (const GraphStep& step : g.steps)
      if (step.kind == culprit) return true;
    return false;
  };
  const RandomGraph small = shrunk(graph, fails);
  CHECK(fails(small));
  CHECK(small.steps.size() < graph.steps.size());
}

}  // namespace
}  // namespace linnet::test
