// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/graph_module.h"

#include "linnet/autograd/autograd.h"
#include "linnet/graph/trace.h"
#include "linnet/optim/optim.h"
#include "models.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using graph::GraphModule;

template <class M>
GraphModule rebuilt(M& model, const Shape& input) {
  return GraphModule::from(graph::trace(model, input).state(), model.state());
}

/// The GraphModule against the module it was traced from, in both modes, at batch sizes that were not traced.
template <class M>
void check_same_outputs(M& model, const Shape& input) {
  GraphModule copy = rebuilt(model, input);
  CHECK(copy.state() == model.state());
  for (bool training : {false, true}) {
    model.train(training);
    copy.train(training);
    for (std::int64_t batch : {1, 7, 128}) {
      CAPTURE(training);
      CAPTURE(batch);
      Tensor x = test::random_tensor(input.with(0, batch), 5);
      manual_seed(11);
      Tensor expected = model(x);
      State after = rng_state();
      manual_seed(11);
      CHECK_SAME_BITS(copy(x), expected);
      CHECK(rng_state() == after);
    }
  }
}

template <class M>
std::vector<double> train(M& model, const Shape& input, int steps) {
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  std::vector<double> losses;
  manual_seed(3);
  for (int step = 0; step < steps; ++step) {
    Tensor x = test::random_tensor(input, static_cast<std::uint64_t>(100 + step));
    Tensor y = test::random_labels({input[0]}, static_cast<std::uint64_t>(200 + step), 4);
    Tensor loss = cross_entropy(model(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    losses.push_back(loss.item());
  }
  return losses;
}

template <class M>
void check_same_training(M& model, const Shape& input) {
  GraphModule copy = rebuilt(model, input);
  std::vector<double> expected = train(model, input, 20);
  CHECK(train(copy, input, 20) == expected);
  CHECK(copy.state() == model.state());
  CHECK(expected.front() != expected.back());
}

TEST_CASE("a GraphModule gives the bits of the mlp recipe at batch 1, 7 and 128, in both modes") {
  manual_seed(1);
  nn::Sequential model = test::mlp_recipe();
  check_same_outputs(model, {1, 28, 28, 1});
}

TEST_CASE("a GraphModule gives the bits of the cnn recipe at batch 1, 7 and 128, in both modes") {
  manual_seed(1);
  nn::Sequential model = test::cnn_recipe();
  check_same_outputs(model, {1, 28, 28, 1});
}

TEST_CASE("a GraphModule gives the bits of a user's struct with a residual add and a dropout") {
  manual_seed(1);
  test::Residual model;
  check_same_outputs(model, {1, 3, 4});
}

TEST_CASE("a GraphModule trains along the trajectory of the module it was traced from") {
  SUBCASE("mlp recipe") {
    manual_seed(2);
    nn::Sequential model = test::mlp_recipe();
    check_same_training(model, {8, 28, 28, 1});
  }
  SUBCASE("cnn recipe") {
    manual_seed(2);
    nn::Sequential model = test::cnn_recipe();
    check_same_training(model, {8, 28, 28, 1});
  }
  SUBCASE("residual struct") {
    manual_seed(2);
    test::Residual model;
    check_same_training(model, {8, 3, 4});
  }
}

TEST_CASE("a module traced in evaluation mode trains as well as one traced in training mode") {
  manual_seed(2);
  test::Residual model;
  model.eval();
  GraphModule copy = rebuilt(model, {1, 12});
  model.train();
  CHECK(train(copy, {8, 12}, 5) == train(model, {8, 12}, 5));
}

TEST_CASE("tracing a GraphModule gives the graph it was made from") {
  test::Residual model;
  graph::Graph first = graph::trace(model, {1, 12});
  GraphModule copy(first, model.state());
  CHECK(graph::trace(copy, {1, 12}).state() == first.state());
}

TEST_CASE("a GraphModule names parameters and buffers as the module did, in its order") {
  test::Residual model;
  GraphModule copy(graph::trace(model, {1, 12}));
  std::vector<std::string> names;
  for (const auto& entry : copy.state()) names.push_back(entry.first);
  CHECK(names == std::vector<std::string>{"in.weight", "in.bias", "middle.weight", "middle.bias", "scale",
                                          "out.weight", "out.bias"});
  CHECK(copy.parameters().size() == 6);
  CHECK(copy.buffers().size() == 1);
  for (const NamedTensor& parameter : copy.parameters()) CHECK(parameter.second.requires_grad());
  CHECK(copy.describe() == "GraphModule of 10 ops");
}

TEST_CASE("parameters that the result does not need are kept, so that states stay equal") {
  struct Unused : nn::Module {
    nn::Dense used{3, 2}, unused{5, 4};
    void members(nn::Members& m) override {
      m.child("unused", unused);
      m.child("used", used);
    }
    Tensor operator()(const Tensor& x) { return used(x); }
  } model;
  GraphModule copy = rebuilt(model, {1, 3});
  CHECK(copy.state() == model.state());
}

TEST_CASE("a model with several inputs of several types runs from its graph") {
  struct Two : nn::Module {
    nn::Dense dense{6, 3};
    void members(nn::Members& m) override { m.child("dense", dense); }
    Tensor operator()(const Tensor& x, const Tensor& labels) { return cross_entropy(dense(x), labels); }
  } model;
  std::vector<graph::InputSpec> inputs{{{1, 6}, f32, "x"}, {{1}, i64, "labels"}};
  GraphModule copy(graph::trace(model, inputs), model.state());
  Tensor given[] = {test::random_tensor({5, 6}, 1), test::random_labels({5}, 2, 3)};
  CHECK_SAME_BITS(copy.forward(given), model(given[0], given[1]));

  Tensor wrong[] = {given[0], test::random_labels({4}, 2, 3)};
  CHECK_THROWS_TEXT(copy.forward(wrong), ShapeError,
                    "GraphModule: input labels must be [B] with B = 5, got [4].");
  CHECK_THROWS_TEXT(copy.forward(given[0]), ShapeError, "GraphModule: expected 2 inputs, got 1.");
}

TEST_CASE("a GraphModule refuses inputs that do not fit, with the symbolic shape") {
  test::Residual model;
  GraphModule copy(graph::trace(model, {1, 12}), model.state());
  CHECK_THROWS_TEXT(copy.forward(Tensor::zeros({2, 13})), ShapeError,
                    "GraphModule: input input must be [B, 12], got [2, 13].");
  CHECK_THROWS_TEXT(copy.forward(Tensor::zeros({})), ShapeError,
                    "GraphModule: input input must be [B, 12], got [].");
  CHECK_THROWS_TEXT(copy.forward(Tensor::zeros({2, 12}, f64)), DTypeError,
                    "GraphModule: input input must be f32, got f64. Convert with to(f32).");
  CHECK_THROWS_TEXT(copy.forward(Tensor()), ValueError, "GraphModule: input input is undefined.");
}

TEST_CASE("an op that fails while a GraphModule runs names the layer") {
  struct Classifier : nn::Module {
    nn::Dense dense{6, 3};
    void members(nn::Members& m) override { m.child("dense", dense); }
    Tensor operator()(const Tensor& x, const Tensor& labels) { return cross_entropy(dense(x), labels); }
  } model;
  std::vector<graph::InputSpec> inputs{{{1, 6}}, {{1}, i64}};
  GraphModule copy(graph::trace(model, inputs), model.state());
  Tensor given[] = {Tensor::zeros({1, 6}), Tensor::full({1}, 7, i64)};
  CHECK_THROWS_TEXT(copy.forward(given), ValueError,
                    "cross_entropy: label 7 at position 0 is outside 0..2. The logits have 3 classes.  in %5 "
                    "(cross_entropy)");
}

TEST_CASE("a GraphModule refuses a graph that cannot run and a state that does not fit") {
  CHECK_THROWS_TEXT(GraphModule(graph::Graph()), GraphError,
                    "GraphModule: the graph is empty. Trace a module or load one.");
  test::Residual model;
  graph::Graph g = graph::trace(model, {1, 12});
  CHECK_THROWS_AS(GraphModule(g, State()), StateError);
  nn::Dense other(12, 16);
  CHECK_THROWS_AS(GraphModule(g, other.state()), StateError);
  State more = model.state();
  more.set("more", Tensor::zeros({1}));
  CHECK_THROWS_AS(GraphModule(g, more), StateError);

  nn::Dense small(2, 3);
  CHECK_THROWS_TEXT(
      GraphModule(graph::trace(small, {1, 2}), {{"weight", Tensor::zeros({2, 3})}, {"bias", 1}}), StateError,
      "GraphModule: the state does not fit the graph:\n  weight: expected f32 [3, 2], got f32 [2, 3]\n  "
      "bias: "
      "expected f32 [3], got no tensor");
}

TEST_CASE("a graph with parameters beyond all memory is refused before they are allocated") {
  std::vector<graph::Value> values(1);
  values[0] = {graph::Kind::parameter, "w", f32, {std::int64_t{1} << 47}, {}};
  graph::Graph g(values, {}, 0);
  CHECK_THROWS_TEXT(
      GraphModule(g, {{"w", Tensor::zeros({1})}}), StateError,
      "GraphModule: the state does not fit the graph:\n  w: expected f32 [140737488355328], got f32 [1]");
}

}  // namespace
}  // namespace linnet
