// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/graph.h"

#include <limits>
#include <optional>

#include "linnet/autograd/recorder.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/infer.h"
#include "linnet/graph/trace.h"
#include "models.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Value;

Graph residual_graph() {
  test::Residual model;
  return graph::trace(model, {1, 3, 4});
}

TEST_CASE("sizes print and resolve with the batch") {
  CHECK(graph::str({-1, 28, 28, 1}) == "[B, 28, 28, 1]");
  CHECK(graph::str({3, -4}) == "[3, 4B]");
  CHECK(graph::str({}) == "[]");
  CHECK(graph::at_batch({-1, 5, -4}, 3) == Shape{3, 5, 12});
  CHECK_THROWS_TEXT(graph::at_batch({-(std::int64_t{1} << 40)}, 1 << 20), GraphError,
                    "graph: 1099511627776 times batch 1048576 is too large.");
}

TEST_CASE("a graph goes through its state unchanged, and back") {
  Graph g = residual_graph(), again;
  State state = g.state();
  again.load(state);
  CHECK(again.state() == state);
  CHECK(again.str() == g.str());
  CHECK(again.hash() == g.hash());
}

TEST_CASE("an empty graph has a state, too") {
  Graph g = residual_graph();
  g.load(Graph().state());
  CHECK(g.empty());
  CHECK(g.str() == "graph: 0 nodes, 0 parameters\n  output none\n");
}

TEST_CASE("a failed load leaves the graph as it was") {
  Graph g = residual_graph();
  State before = g.state();
  CHECK_THROWS_AS(g.load({}), StateError);
  CHECK_THROWS_AS(g.load({{"version", 1}}), GraphError);
  CHECK(g.state() == before);
}

TEST_CASE("the hash tells architectures, names and constants apart, but not parameter contents") {
  auto hash_of = [](nn::Sequential model) { return graph::trace(model, {1, 12}).hash(); };
  auto first = hash_of(nn::Sequential{nn::Dense(12, 4), nn::ReLU()});
  CHECK(hash_of(nn::Sequential{nn::Dense(12, 4), nn::ReLU()}) == first);  // other weights
  CHECK(hash_of(nn::Sequential{nn::Dense(12, 5), nn::ReLU()}) != first);
  CHECK(hash_of(nn::Sequential{nn::Dense(12, 4), nn::Tanh()}) != first);
  CHECK(hash_of(nn::Sequential{nn::Flatten(), nn::Dense(12, 4), nn::ReLU()}) != first);
  test::Residual a, b;
  b.shift = b.shift + 1.0;
  CHECK(graph::trace(a, {1, 12}).hash() != graph::trace(b, {1, 12}).hash());
}

TEST_CASE("the hash is the same on every machine") {
  std::vector<Value> values(2);
  values[0] = {Kind::input, "x", f32, {-1, 3}, {}};
  values[1] = {Kind::result, "", f32, {-1, 3}, {}};
  Node node;
  node.op = Op::relu;
  node.inputs = {0};
  node.output = 1;
  std::string hex;
  for (std::uint8_t byte : Graph(values, {node}, 1).hash()) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  CHECK(hex == "fcafc2a2610635e17b255cec579bf897");
}

// ---- graphs made by hand, one rule broken at a time -------------------------------------------------

/// x [B, 3] -> dense with weight [2, 3] -> relu.
struct Parts {
  std::vector<Value> values;
  std::vector<Node> nodes;
  int output = 3;

  Parts() : values(4), nodes(2) {
    values[0] = {Kind::input, "x", f32, {-1, 3}, {}};
    values[1] = {Kind::parameter, "w", f32, {2, 3}, {}};
    values[2] = {Kind::result, "", f32, {-1, 2}, {}};
    values[3] = {Kind::result, "", f32, {-1, 2}, {}};
    nodes[0].op = Op::dense;
    nodes[0].inputs = {0, 1};
    nodes[0].output = 2;
    nodes[1].op = Op::relu;
    nodes[1].inputs = {2};
    nodes[1].output = 3;
  }
  Graph build() const { return Graph(values, nodes, output); }
};

template <class Break>
Graph broken(Break&& change) {
  Parts parts;
  change(parts);
  return parts.build();
}

TEST_CASE("the graph that the broken ones come from is valid") { CHECK(Parts().build().nodes().size() == 2); }

TEST_CASE("values out of order or of bad shape are refused") {
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.values[0].name = ""; }), GraphError,
                    "graph: value 0 has no name, or one beyond 1024 characters.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.values[1].name = "x"; }), GraphError,
                    "graph: value 1 (x): the name is taken twice.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.values[2].name = "y"; }), GraphError,
                    "graph: value 2 is a result and cannot have a name.");
  CHECK_THROWS_TEXT(
      broken([](Parts& p) { std::swap(p.values[0], p.values[1]); }), GraphError,
      "graph: value 1 (input) is out of order. Inputs come first, then parameters and buffers, constants, "
      "results.");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[0].sizes = {1, 3};
                    }),
                    GraphError, "graph: value 0 (x): axis 0 of an input is the batch, got [1, 3].");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[1].sizes = {-1, 3};
                    }),
                    GraphError, "graph: value 1 (w) has a bad size: -1.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.values[1].sizes.assign(7, 1); }), GraphError,
                    "graph: value 1 (w) has 7 axes. At most 6 are possible.");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[1].contents = Tensor::zeros({2, 3});
                    }),
                    GraphError, "graph: value 1 (w): constants have contents, other values have none.");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[1] = {Kind::constant, "", f32, {2, 3}, Tensor::zeros({3, 2})};
                    }),
                    GraphError, "graph: value 1: contents are f32 [3, 2], expected f32 [2, 3].");
  CHECK_THROWS_AS(broken([](Parts& p) { p.values[1].sizes = {1 << 30, 1 << 30}; }), GraphError);
}

TEST_CASE("nodes that read or write out of order are refused") {
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[0].inputs[0] = 3; }), GraphError,
                    "graph: node 0 (dense) reads value 3, which is not written before it.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[1].inputs[0] = 3; }), GraphError,
                    "graph: node 1 (relu) reads value 3, which is not written before it.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[1].inputs[0] = -1; }), GraphError,
                    "graph: node 1 (relu) reads value -1, which is not written before it.");
  CHECK_THROWS_TEXT(
      broken([](Parts& p) { p.nodes[1].output = 2; }), GraphError,
      "graph: node 1 (relu) writes value 2. Every result is written once, by the nodes in order.");
  CHECK_THROWS_TEXT(
      broken([](Parts& p) { p.nodes.pop_back(); }), GraphError,
      "graph: node 0 (dense) writes value 2. Every result is written once, by the nodes in order.");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.nodes.pop_back();
                      p.nodes[0].output = 3;
                      p.nodes[0].inputs = {0, 1};
                    }),
                    GraphError, "graph: a result is written by no node.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.output = 4; }), GraphError, "graph: the output is value 4 of 4.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.output = -1; }), GraphError,
                    "graph: the output is value -1 of 4.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[1].custom = "mine"; }), GraphError,
                    "graph: node 1 (relu): exactly a user's op has a name of its own.");
}

TEST_CASE("recorded shapes and types must be those that the ops give") {
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[3].sizes = {-1, 3};
                    }),
                    GraphError, "graph: relu gives [2, 2] for batch 2, recorded is [2, 3].");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[3].sizes = {2, 2};
                    }),
                    GraphError, "graph: relu gives [3, 2] for batch 3, recorded is [2, 2].");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.values[1].sizes = {2, 4};
                    }),
                    GraphError, "graph: node 0 (dense) at batch 2: x [2, 3] does not fit weight [2, 4].");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[0].inputs = {0}; }), GraphError,
                    "graph: node 0 (dense) at batch 2: expected 2 to 3 inputs, got 1.");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.nodes[1].inputs = {}; }), GraphError,
                    "graph: node 1 (relu) at batch 2: expected 1 to 1 inputs, got 0.");
  CHECK_THROWS_TEXT(broken([](Parts& p) {
                      p.nodes[1].op = Op::kl_div;
                      p.nodes[1].inputs = {2, 2, 2};
                    }),
                    GraphError,
                    "graph: node 1 (kl_div) at batch 2: weights [2, 2] do not fit the terms [2].");
  CHECK_THROWS_TEXT(broken([](Parts& p) { p.values[3].dtype = f64; }), GraphError,
                    "graph: node 1 (relu) at batch 2: the result is recorded as f64, the input is f32.");
}

TEST_CASE("an activation fused behind dense must be an elementwise op, with its numbers") {
  auto with = [](State attributes) { return broken([&](Parts& p) { p.nodes[0].attributes = attributes; }); };
  CHECK(with({{"activation", "relu6"}}).nodes()[0].attributes.size() == 1);
  CHECK(with({{"activation", "leaky_relu"}, {"p", 0.1}}).nodes()[0].attributes.size() == 2);
  for (const char* bad : {"softmax", "", "no such op"})
    CHECK_THROWS_TEXT(with({{"activation", bad}}), GraphError,
                      concat({"graph: node 0 (dense): attribute activation, ", bad,
                              ", is no elementwise op of one tensor."}));
  CHECK_THROWS_TEXT(with({{"activation", "leaky_relu"}}), GraphError,
                    "graph: node 0 (dense): attribute p of the activation is missing.");
  CHECK_THROWS_TEXT(with({{"activation", "clamp"}, {"p", 0.0}}), GraphError,
                    "graph: node 0 (dense): attribute q of the activation is missing.");
  CHECK_THROWS_TEXT(with({{"activation", "relu"}, {"p", 0.1}}), GraphError,
                    "graph: node 0 (dense): attribute p of the activation is not wanted.");
  CHECK_THROWS_TEXT(with({{"p", 0.1}}), GraphError,
                    "graph: node 0 (dense): attribute p of the activation is not wanted.");
}

TEST_CASE("attributes must be those of the op") {
  auto with = [](Op op, State attributes) {
    return broken([&](Parts& p) {
      p.nodes[1].op = op;
      p.nodes[1].attributes = attributes;
    });
  };
  CHECK_THROWS_TEXT(with(Op::relu, {{"p", 0.5}}), GraphError,
                    "graph: node 1 (relu): expected 0 attributes, got 1.");
  CHECK_THROWS_TEXT(with(Op::dropout, {}), GraphError, "graph: node 1 (dropout): attribute p is missing.");
  CHECK_THROWS_TEXT(with(Op::dropout, {{"p", 1}}), GraphError,
                    "graph: node 1 (dropout): attribute p must be a real number, got integer.");
  CHECK_THROWS_TEXT(with(Op::softmax, {{"axis", -1}}), GraphError,
                    "graph: node 1 (softmax): attribute axis is out of range: -1.");
  CHECK_THROWS_TEXT(with(Op::softmax, {{"axis", std::int64_t{1} << 40}}), GraphError,
                    "graph: node 1 (softmax): attribute axis is out of range: 1099511627776.");
  CHECK_THROWS_AS(with(Op::softmax, {{"axis", 2}}), GraphError);
  CHECK_THROWS_TEXT(
      with(Op::reshape, {{"shape", Tensor::zeros({2}, f32)}}), GraphError,
      "graph: node 1 (reshape): attribute shape must be a list of at most 6 integers, got tensor.");
  CHECK_THROWS_TEXT(with(Op::reshape, {{"shape", Tensor::from({-1, 3}, i64)}}), GraphError,
                    "graph: node 1 (reshape) at batch 2: [2, 2] has 4 elements, [2, 3] has 6.");
  CHECK_THROWS_TEXT(with(Op::transpose, {{"order", Tensor::from({1, 1}, i64)}}), GraphError,
                    "graph: node 1 (transpose) at batch 2: axis 1 of the order does not fit [2, 2].");
  CHECK_THROWS_TEXT(with(Op::slice, {{"axis", 1}, {"begin", 1}, {"end", 5}, {"step", 1}}), GraphError,
                    "graph: node 1 (slice) at batch 2: 1..5 in steps of 1 does not fit [2, 2].");
  CHECK_THROWS_TEXT(with(Op::slice, {{"axis", 1}, {"begin", 0}, {"end", 1}, {"step", 0}}), GraphError,
                    "graph: node 1 (slice) at batch 2: 0..1 in steps of 0 does not fit [2, 2].");
  CHECK_THROWS_TEXT(with(Op::sum, {{"axes", Tensor::from({2}, i64)}, {"keep_dims", 0}}), GraphError,
                    "graph: node 1 (sum) at batch 2: axis 2 does not fit [2, 2].");
}

// ---- hostile states ---------------------------------------------------------------------------------

using Path = std::vector<std::string>;

/// The state with the entry at `path` replaced, or removed when there is no value.
State with(const State& state, const Path& path, const std::optional<StateValue>& value,
           std::size_t depth = 0) {
  State changed;
  for (const auto& [name, entry] : state) {
    if (name != path[depth])
      changed.set(name, entry);
    else if (depth + 1 < path.size())
      changed.set(name, with(entry.state(), path, value, depth + 1));
    else if (value)
      changed.set(name, *value);
  }
  return changed;
}

void collect(const State& state, const Path& prefix, std::vector<Path>& all) {
  for (const auto& [name, entry] : state) {
    Path path = prefix;
    path.push_back(name);
    all.push_back(path);
    if (entry.is_state()) collect(entry.state(), path, all);
  }
}

TEST_CASE("the entries of a state are checked, with texts") {
  Graph g;
  State good = Parts().build().state();
  auto load = [&](const Path& path, const StateValue& value) { g.load(with(good, path, value)); };
  CHECK_THROWS_TEXT(
      load({"version"}, 2), GraphError,
      "graph: stored as version 2, this program reads version 1. Load it with a newer version of linnet?");
  CHECK_THROWS_TEXT(load({"values", "0", "kind"}, "inputs"), GraphError,
                    "graph: unknown kind of value \"inputs\". Was it saved by a newer version?");
  CHECK_THROWS_TEXT(load({"values", "0", "dtype"}, "f16"), GraphError,
                    "graph: unknown element type \"f16\". Was it saved by a newer version?");
  CHECK_THROWS_TEXT(load({"nodes", "1", "op"}, "reluu"), GraphError,
                    "graph: unknown op \"reluu\". Was it saved by a newer version?");
  CHECK_THROWS_TEXT(load({"values", "0", "shape"}, Tensor::zeros({2})), GraphError,
                    "graph: shape must be a list of i64, got f32 [2].");
  State more = good;
  more.set("more", 1);
  CHECK_THROWS_TEXT(g.load(more), GraphError, "graph: the state has 5 entries, expected 4.");
  CHECK_THROWS_TEXT(load({"nodes"}, State{{"1", State()}}), GraphError, "graph: node 0 is named \"1\".");
  CHECK_THROWS_TEXT(load({"output"}, std::int64_t{1} << 40), GraphError,
                    "graph: the output is value -1 of 4.");
}

TEST_CASE("every entry of a state that is removed or replaced is refused or leaves a graph that works") {
  const State good = residual_graph().state();
  std::vector<Path> paths;
  collect(good, {}, paths);
  REQUIRE(paths.size() > 100);
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::optional<StateValue>> values{
      std::nullopt,
      StateValue(0),
      StateValue(-1),
      StateValue(huge),
      StateValue(-huge - 1),
      StateValue(0.5),
      StateValue(""),
      StateValue("relu"),
      StateValue("matmul"),
      StateValue("concat"),
      StateValue(State()),
      StateValue(Tensor::zeros({})),
      StateValue(Tensor::zeros({2})),
      StateValue(Tensor::zeros({0}, i64)),
      StateValue(integers(std::vector<std::int64_t>{-huge - 1, huge})),
      StateValue(integers(std::vector<std::int64_t>{huge})),
      StateValue(integers(std::vector<std::int64_t>{-1, 16})),
      StateValue(integers(std::vector<std::int64_t>{0, 1, 2, 3})),
      StateValue(Tensor())};
  std::size_t refused = 0, accepted = 0;
  for (const Path& path : paths)
    for (const auto& value : values) {
      std::string where;
      for (const std::string& step : path) where += step + "/";
      CAPTURE(where);
      Graph g;
      try {
        g.load(with(good, path, value));
      } catch (const GraphError&) {
        ++refused;
        continue;
      } catch (const StateError&) {
        ++refused;
        continue;
      }
      ++accepted;
      CHECK_NOTHROW(g.str());
      CHECK_NOTHROW(graph::macs(g));
      CHECK(g.hash() != std::array<std::uint8_t, 16>{});
    }
  CHECK(refused > paths.size() * values.size() * 8 / 10);
  CHECK(accepted > 0);  // such as another name or probability
}

}  // namespace
}  // namespace linnet
