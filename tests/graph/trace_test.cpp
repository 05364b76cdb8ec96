// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/trace.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/record.h"
#include "linnet/graph/graph_module.h"
#include "models.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using graph::Graph;
using graph::GraphModule;
using graph::Kind;
using test::Function;

Graph trace_function(std::function<Tensor(const Tensor&)> f, const Shape& input) {
  Function module(std::move(f));
  return graph::trace(module, input);
}

/// Runs the traced function at a batch size that was not traced and compares.
void check_any_batch(std::function<Tensor(const Tensor&)> f, const Shape& input) {
  GraphModule copy(trace_function(f, input));
  for (std::int64_t batch : {1, 2, 5, 9}) {
    Tensor x = test::random_tensor(input.with(0, batch), 4);
    CHECK_SAME_BITS(copy(x), f(x));
  }
}

TEST_CASE("the graph of a small model prints as pinned") {
  nn::Sequential model{nn::Flatten(), nn::Dense(12, 5), nn::ReLU(), nn::Dropout(0.2),
                       nn::Dense(5, 2, {.bias = false})};
  CHECK(graph::trace(model, {1, 3, 4}).str() ==
        "graph: 5 nodes, 75 parameters\n"
        "  input input [B, 3, 4] f32\n"
        "  parameter 1.weight [5, 12] f32\n"
        "  parameter 1.bias [5] f32\n"
        "  parameter 4.weight [2, 5] f32\n"
        "  %4 = reshape(input) {shape [B, 12]} -> [B, 12]\n"
        "  %5 = dense(%4, 1.weight, 1.bias) -> [B, 5]\n"
        "  %6 = relu(%5) -> [B, 5]\n"
        "  %7 = dropout(%6) {p 0.2} -> [B, 5]\n"
        "  %8 = dense(%7, 4.weight) -> [B, 2]\n"
        "  output %8\n");
}

TEST_CASE("training and evaluation mode give the same graph") {
  test::Residual model;
  State training = graph::trace(model, {1, 12}).state();
  model.eval();
  CHECK(graph::trace(model, {4, 12}).state() == training);
}

TEST_CASE("the result of dropout and its input stay apart in evaluation mode") {
  Function model([](const Tensor& x) {
    Tensor h = relu(x);
    return h - dropout(h, 0.5, false);
  });
  GraphModule copy(graph::trace(model, {1, 100}));
  manual_seed(1);
  Tensor y = copy(Tensor::ones({1, 100}));  // in training mode: 1 - 0 or 1 - 2
  for (float value : y.data<float>()) CHECK((value == 1.0f || value == -1.0f));
}

TEST_CASE("sizes that grow with the batch become the batch") {
  check_any_batch([](const Tensor& x) { return x.reshape({-1, 4}); }, {1, 3, 4});
  check_any_batch(
      [](const Tensor& x) {
        return x.reshape({x.dim(0) * 6, 2}).reshape({x.dim(0), 12});
      },
      {1, 3, 4});
  check_any_batch([](const Tensor& x) { return slice(x, 0, 0, x.dim(0)); }, {1, 3});
  check_any_batch(
      [](const Tensor& x) {
        return slice(concat({x, x}, 0), 0, x.dim(0), 2 * x.dim(0));
      },
      {1, 3});
  check_any_batch([](const Tensor& x) { return pad(x, {{0, x.dim(0)}, {1, 0}}); }, {1, 3});
  check_any_batch([](const Tensor& x) { return sum(x, {0}); }, {1, 3});
  check_any_batch([](const Tensor& x) { return mean(x); }, {1, 3});
  check_any_batch([](const Tensor& x) { return transpose(x) * 2.0; }, {1, 3});
}

TEST_CASE("a module that returns its input, or nothing computed from it, has a graph") {
  check_any_batch([](const Tensor& x) { return x; }, {1, 3});
  GraphModule copy(trace_function([](const Tensor&) { return Tensor::from({1, 2, 3}); }, {1, 3}));
  CHECK_CLOSE(copy(Tensor::zeros({4, 3})), Tensor::from({1, 2, 3}), tol::exact);
}

TEST_CASE("a tensor from elsewhere becomes a constant") {
  Tensor table = test::random_tensor({3}, 8);
  Graph g = trace_function([&](const Tensor& x) { return x * table + 1.0; }, {1, 3});
  REQUIRE(g.of_kind(Kind::constant).size() == 2);
  CHECK_SAME_BITS(g.values()[g.of_kind(Kind::constant)[0]].contents, table);
  table.fill_(0.0);  // the graph keeps its own copy
  Tensor x = test::random_tensor({2, 3}, 9);
  CHECK_SAME_BITS(GraphModule(g)(x), x * test::random_tensor({3}, 8) + 1.0);
}

TEST_CASE("ops that the result does not need are left out") {
  Graph g = trace_function(
      [](const Tensor& x) {
        exp(x * 3.0);
        return relu(x);
      },
      {1, 3});
  CHECK(g.nodes().size() == 1);
  CHECK(g.of_kind(Kind::constant).empty());
}

TEST_CASE("a dropout that the result does not need stays, because it draws random numbers") {
  auto f = [](const Tensor& x) {
    dropout(x, 0.5, true);
    return dropout(x, 0.5, true);
  };
  GraphModule copy(trace_function(f, {1, 50}));
  Tensor x = Tensor::ones({2, 50});
  manual_seed(6);
  Tensor expected = f(x);
  manual_seed(6);
  CHECK_SAME_BITS(copy(x), expected);
}

TEST_CASE("tracing works under NoGrad and for frozen parameters") {
  nn::Dense dense(3, 2);
  State expected = graph::trace(dense, {1, 3}).state();
  NoGrad no_grad;
  CHECK(graph::trace(dense, {1, 3}).state() == expected);
}

// ---- what tracing leaves alone ----------------------------------------------------------------------

/// Counts its calls in a buffer.
struct Counting : nn::Module {
  Tensor calls = Tensor::zeros({1});
  bool fails = false;
  void members(nn::Members& m) override { m.buffer("calls", calls); }
  Tensor operator()(const Tensor& x) {
    calls.add_(Tensor::ones({1}));
    Tensor y = dropout(x, 0.5, training());
    check<ValueError>(!fails, "counting: told to fail.");
    return y;
  }
};

TEST_CASE("trace leaves generator, buffers, modes and gradients as they were, also when it throws") {
  Counting model;
  nn::Dense dense(3, 2);
  backward(sum(dense(Tensor::ones({1, 3}))));
  Tensor gradient = dense.weight.grad().clone();
  manual_seed(9);
  next_random_key();
  State rng = rng_state();

  graph::trace(model, {1, 3});
  graph::trace(dense, {1, 3});
  model.fails = true;
  CHECK_THROWS_TEXT(graph::trace(model, {1, 3}), ValueError, "counting: told to fail.");

  CHECK(rng_state() == rng);
  CHECK(model.calls.item() == 0.0);
  CHECK(model.training());
  CHECK_SAME_BITS(dense.weight.grad(), gradient);
  CHECK(dense.weight.requires_grad());
  CHECK_NOTHROW(model.calls.item());

  Tensor y = relu(Tensor::ones({1}));  // recording is over
  CHECK(y.item() == 1.0);
}

TEST_CASE("reading the values of a traced tensor throws") {
  CHECK_THROWS_AS(trace_function([](const Tensor& x) { return x * x.data<float>()[0]; }, {1, 3}), GraphError);
  CHECK_THROWS_AS(trace_function([](const Tensor& x) { return x * mean(x).item(); }, {1, 3}), GraphError);
}

// ---- refusals ---------------------------------------------------------------------------------------

TEST_CASE("what a graph cannot hold is refused, naming the op") {
  CHECK_THROWS_TEXT(trace_function([](const Tensor& x) { return relu(exp(x).clone()); }, {1, 3}), GraphError,
                    "trace: relu reads a copy of a traced tensor, made by clone() or to(), which a graph "
                    "cannot follow. Use the "
                    "tensor itself.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return relu(x.detach()); }, {1, 3}), GraphError,
      "trace: relu reads a detached view of input input, which a graph cannot follow. Use the tensor itself, "
      "or reshape() instead of view().");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return relu(exp(x).view({x.dim(0) * 3})); }, {1, 3}), GraphError,
      "trace: relu reads a detached view of the result of exp, which a graph cannot follow. Use the tensor "
      "itself, or reshape() instead of view().");
  CHECK_THROWS_TEXT(
      trace_function(
          [](const Tensor& x) {
            return x + Tensor::zeros({x.dim(0), 3});
          },
          {1, 3}),
      GraphError,
      "trace: a tensor that add reads is no input, parameter or result, but its shape depends on the batch: "
      "[2, 3] for batch 2 and [3, 3] for batch 3. Compute it from an input with recorded ops.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return x + Tensor::randn({3}); }, {1, 3}), GraphError,
      "trace: a tensor that add reads is no input, parameter or result, but its contents change from run to "
      "run. Compute it from an input with recorded ops.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return x * static_cast<double>(x.dim(0)); }, {1, 3}), GraphError,
      "trace: a tensor that mul reads is no input, parameter or result, but its contents change from run to "
      "run. Compute it from an input with recorded ops.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return x.dim(0) == 2 ? relu(x) : exp(x); }, {1, 3}), GraphError,
      "trace: op 0 is relu for batch 2 and exp for batch 3. The module must do the same for every batch.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return x.dim(0) == 2 ? exp(x) : relu(exp(x)); }, {1, 3}),
      GraphError,
      "trace: the module runs 1 ops for batch 2 and 2 for batch 3, or returns another tensor. It must do the "
      "same for every "
      "batch.");
  CHECK_THROWS_TEXT(trace_function([](const Tensor&) { return Tensor(); }, {1, 3}), GraphError,
                    "trace: the module returned an undefined tensor.");
}

TEST_CASE("sizes that change with the batch must be multiples of it") {
  auto shifted = [](const Tensor& x) { return slice(concat({x, x}, 0), 0, x.dim(0) - 1, 2 * x.dim(0) - 1); };
  CHECK_THROWS_TEXT(trace_function(shifted, {1, 3}), GraphError,
                    "trace: slice changes with the batch, but not in proportion: begin is {axis 0, begin 1, "
                    "end 3, step 1} for "
                    "batch 2 and {axis 0, begin 2, end 5, step 1} for batch 3. Make it a multiple of the "
                    "batch, or independent "
                    "of it.");
  CHECK_THROWS_TEXT(trace_function(
                        [](const Tensor& x) {
                          return concat({x, Tensor::ones({1, 3})}, 0);
                        },
                        {1, 3}),
                    GraphError,
                    "trace: the shape of the result of concat changes with the batch, but not in proportion: "
                    "[3, 3] for batch 2 "
                    "and [4, 3] for batch 3.");
  CHECK_THROWS_TEXT(
      trace_function([](const Tensor& x) { return pow(x, static_cast<double>(x.dim(0))); }, {1, 3}),
      GraphError,
      "trace: pow changes with the batch: {p 2} for batch 2 and {p 3} for batch 3. Only the sizes of "
      "reshape, "
      "slice and pad may.");
}

TEST_CASE("a change in place while tracing is refused") {
  nn::Dense dense(3, 2);
  struct Changing : nn::Module {
    nn::Dense dense{3, 2};
    void members(nn::Members& m) override { m.child("dense", dense); }
    Tensor operator()(const Tensor& x) {
      Tensor y = dense(x);
      dense.weight.detach().mul_(1.0);
      return y;
    }
  } model;
  CHECK_THROWS_TEXT(
      graph::trace(model, {1, 3}), GraphError,
      "trace: parameter dense.weight was changed in place, which a graph cannot follow. Compute a new tensor "
      "instead.");
  CHECK_THROWS_AS(trace_function(
                      [](const Tensor& x) {
                        Tensor y = exp(x);
                        y.mul_(2.0);
                        return y;
                      },
                      {1, 3}),
                  GraphError);
}

TEST_CASE("inputs are checked before the module runs") {
  Function model([](const Tensor& x) { return x; });
  CHECK_THROWS_TEXT(graph::trace(model, Shape{}), ShapeError,
                    "trace: axis 0 of an input is the batch, got shape []. Write {1, ...}.");
  CHECK_THROWS_TEXT(graph::trace(model, std::vector<graph::InputSpec>{}), GraphError,
                    "trace: no inputs given.");
  CHECK_THROWS_TEXT(graph::trace(model, std::vector<graph::InputSpec>{{{1}}, {{1}}}), GraphError,
                    "trace: the module cannot be called with 2 inputs. Give one InputSpec an argument?");
  CHECK_THROWS_TEXT(graph::trace(model, std::vector<graph::InputSpec>(5, {{1}})), GraphError,
                    "trace: a module is called with 1 to 4 inputs, got 5. Pass a function?");
}

TEST_CASE("errors of the module pass through with its place") {
  nn::Sequential model{nn::Flatten(), nn::Dense(784, 10)};
  CHECK_THROWS_AS(graph::trace(model, {1, 5, 5}), ShapeError);
}

TEST_CASE("a user's op is in the graph under its name, but cannot be run from it") {
  Function model([](const Tensor& x) {
    return record("mine", Tensor::zeros(x.shape()), {x},
                  [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
  });
  Graph g = graph::trace(model, {1, 3});
  REQUIRE(g.nodes().size() == 1);
  CHECK(Graph::op_name(g.nodes()[0]) == "mine");
  Graph again;
  again.load(g.state());
  CHECK(again.state() == g.state());
  CHECK_THROWS_TEXT(GraphModule(g), GraphError,
                    "GraphModule: mine is an op of the user, which only its own program can run. Use the "
                    "module it was traced "
                    "from.");
}

}  // namespace
}  // namespace linnet
