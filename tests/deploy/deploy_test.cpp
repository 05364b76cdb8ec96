// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/deploy.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "board.h"
#include "image_of.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using test::Board;
using test::image_of;

/// Within 1e-5 of the largest output, sample by sample, as issue and tools promise.
template <class M>
void check_agrees(M& model, const Shape& input) {
  model.eval();
  deploy::Image image = image_of(model, input);
  Board board(image.bytes);
  REQUIRE(board.text() == "no error. Go on.");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Tensor x = test::random_tensor(input.with(0, 1), seed, -2.0, 2.0);
    Tensor expected = model(x), actual = board.run(x);
    REQUIRE(actual.shape() == expected.shape());
    double largest = 0.0;
    for (float value : expected.template data<float>())
      largest = std::max(largest, std::fabs(static_cast<double>(value)));
    CHECK_CLOSE(actual, expected, (test::Tolerance{1e-5 * largest, 0.0}));
  }
}

nn::Sequential mlp() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128), nn::ReLU(), nn::Dropout(0.2), nn::Dense(128, 10)};
}

struct FunctionModule : nn::Module {
  explicit FunctionModule(std::function<Tensor(const Tensor&)> f) : f_(std::move(f)) {}
  Tensor operator()(const Tensor& x) { return f_(x); }

 private:
  std::function<Tensor(const Tensor&)> f_;
};

TEST_CASE("the runtime agrees with the training side's forward") {
  SUBCASE("mlp recipe") {
    nn::Sequential model = mlp();
    check_agrees(model, {1, 28, 28, 1});
  }
  SUBCASE("with softmax, without bias, dropout at both ends") {
    nn::Sequential model{nn::Dropout(0.1), nn::Dense(7, 5, {.bias = false}),
                         nn::ReLU(),       nn::Dense(5, 3),
                         nn::Softmax(),    nn::Dropout(0.5)};
    check_agrees(model, {1, 7});
  }
  SUBCASE("dense over the last axis of several, softmax over another axis") {
    nn::Sequential model{nn::Dense(6, 4), nn::Softmax(1), nn::Flatten(), nn::ReLU(), nn::Dense(20, 9)};
    check_agrees(model, {1, 5, 6});
  }
}

TEST_CASE("a model that branches keeps what is still needed") {
  struct Branches : nn::Module {
    nn::Dense a{8, 8}, b{8, 8};
    void members(nn::Members& m) override {
      m.child("a", a);
      m.child("b", b);
    }
    Tensor operator()(const Tensor& x) { return softmax(b(relu(a(x)))); }
  } model;
  check_agrees(model, {1, 8});
}

TEST_CASE("the report of the mlp recipe") {
  nn::Sequential model = mlp();
  deploy::Image image = image_of(model, {1, 28, 28, 1});
  CHECK(image.report.file_bytes == static_cast<std::int64_t>(image.bytes.size()));
  CHECK(image.report.ops == 3);                          // reshape, dense with relu, dense: dropout is gone
  CHECK(image.report.arena_bytes == 784 * 4 + 128 * 4);  // reshape and relu work in place
  CHECK(image.report.lower_bound == image.report.arena_bytes);
  Board board(image.bytes);
  CHECK(board.info().n_ops == 3);
  CHECK(board.meta("arena.lower_bound") == std::to_string(image.report.lower_bound));
  CHECK(board.info().arena_bytes == static_cast<std::size_t>(image.report.arena_bytes));
  CHECK(board.info().n_consts == 4);
}

TEST_CASE("task, preprocessing, labels and further entries are in the file") {
  nn::Sequential model{nn::Dense(4, 2)};
  deploy::Options options{.task = "classification",
                          .preprocess = "values / 255",
                          .labels = {"no", "ja, natürlich"},
                          .meta = {{"accuracy.float", "0.976"}, {"a", ""}},
                          .model_version = 12};
  Board board(image_of(model, {1, 4}, options).bytes);
  REQUIRE(board.text() == "no error. Go on.");
  CHECK(board.meta("task") == "classification");
  CHECK(board.meta("preprocess") == "values / 255");
  CHECK(board.meta("labels") == "no\nja, natürlich");
  CHECK(board.meta("accuracy.float") == "0.976");
  CHECK(board.meta("a") == "");
  CHECK(board.meta("input.0") == "input");
  CHECK(board.meta("output.0") == "output");
  CHECK(board.info().model_version == 12);
}

TEST_CASE("the file carries the graph's hash") {
  nn::Sequential model{nn::Dense(4, 2)};
  graph::Graph g = graph::trace(model, {1, 4});
  Board board(deploy::build(g, model.state()).bytes);
  auto hash = g.hash();
  CHECK(std::equal(hash.begin(), hash.end(), board.info().graph_hash));
}

TEST_CASE("the same model gives the same bytes, other weights or versions give others") {
  nn::Sequential model{nn::Dense(4, 2)}, other{nn::Dense(4, 2)};
  CHECK(image_of(model, {1, 4}).bytes == image_of(model, {3, 4}).bytes);
  CHECK(image_of(model, {1, 4}).bytes != image_of(other, {1, 4}).bytes);
  CHECK(image_of(model, {1, 4}).bytes != image_of(model, {1, 4}, {.model_version = 2}).bytes);
}

TEST_CASE("write puts the bytes of build into the file, also from a GraphModule") {
  test::TemporaryFolder folder;
  nn::Sequential model = mlp();
  graph::Graph g = graph::trace(model, {1, 28, 28, 1});
  deploy::Image image = deploy::build(g, model.state());
  std::string path = folder / "model.linnet";
  deploy::Report report = deploy::write(g, model.state(), path);
  CHECK(test::read_bytes(path) == image.bytes);
  CHECK(report.file_bytes == image.report.file_bytes);

  std::string second = folder / "second.linnet";
  deploy::write(graph::GraphModule(g, model.state()), second);
  CHECK(test::read_bytes(second) == image.bytes);
}

TEST_CASE("a refused model changes nothing on disk") {
  test::TemporaryFolder folder;
  std::string path = folder / "model.linnet";
  test::write_bytes(path, {1, 2, 3});
  FunctionModule loss([](const Tensor& x) { return mse(x, x); });
  CHECK_THROWS_AS(deploy::write(graph::trace(loss, {1, 4}), {}, path), GraphError);
  CHECK(test::read_bytes(path) == std::vector<std::uint8_t>{1, 2, 3});
  nn::Sequential model{nn::Dense(4, 2)};
  CHECK_THROWS_AS(deploy::write(graph::trace(model, {1, 4}), model.state(), folder / "none/model.linnet"),
                  Error);
}

// ---- refusals ---------------------------------------------------------------------------------------

void check_refused(std::function<Tensor(const Tensor&)> f, const Shape& input, const std::string& text) {
  FunctionModule model(std::move(f));
  CHECK_THROWS_TEXT(image_of(model, input), GraphError, text);
}

TEST_CASE("ops that the runtime lacks are listed once each") {
  check_refused(
      [](const Tensor& x) { return mse(exp(x), x) + mae(x, x) * mse(x, x); }, {1, 3},
      "deploy: training only: mse, mae. A .linnet file holds the ops that docs/ops.md calls runtime. "
      "Keep this model as a checkpoint.");
}

TEST_CASE("models that a file cannot hold are refused") {
  check_refused([](const Tensor& x) { return x; }, {1, 3}, "deploy: the graph has no op left to run.");
  check_refused([](const Tensor& x) { return dropout(x, 0.5, true); }, {1, 3},
                "deploy: the graph has no op left to run.");
  check_refused([](const Tensor&) { return relu(Tensor::ones({3})); }, {1, 3},
                "deploy: the result does not depend on input input. Trace the model without it.");
  check_refused(
      [](const Tensor& x) { return dense(x, relu(x)); }, {1, 3},
      "deploy: dense with a computed weight or bias, %1, is not yet lowered. It must be a parameter or "
      "constant.");
  CHECK_THROWS_TEXT(deploy::build(graph::Graph(), {}), GraphError,
                    "deploy: the graph is empty. Trace a module or load one.");

  FunctionModule wide([](const Tensor& x) { return relu(x); });
  std::vector<graph::InputSpec> f64_input{{{1, 3}, f64}};
  CHECK_THROWS_TEXT(deploy::build(graph::trace(wide, f64_input), {}), GraphError,
                    "deploy: relu works in f64. A .linnet file can hold f32 models: convert with to(f32).");
}

TEST_CASE("parameters that are missing or do not fit are refused") {
  nn::Sequential model{nn::Dense(4, 2)}, other{nn::Dense(4, 3)};
  graph::Graph g = graph::trace(model, {1, 4});
  CHECK_THROWS_AS(deploy::build(g, {}), StateError);
  CHECK_THROWS_TEXT(deploy::build(g, other.state()), GraphError,
                    "deploy: 0.weight must be f32 [2, 4], got f32 [3, 4].");
}

TEST_CASE("options that the file cannot hold are refused") {
  nn::Sequential model{nn::Dense(4, 2)};
  auto with = [&](const deploy::Options& options) { image_of(model, {1, 4}, options); };
  CHECK_THROWS_TEXT(with({.task = "guessing"}), ValueError,
                    "deploy: task must be classification or regression, got \"guessing\".");
  CHECK_THROWS_TEXT(with({.labels = {"one", "t\nwo"}}), ValueError,
                    "deploy: a label must be one line that is not empty, got \"t\nwo\".");
  CHECK_THROWS_TEXT(with({.meta = {{"Key", "x"}}}), ValueError,
                    "deploy: meta key \"Key\" must be 1 to 64 characters of a-z 0-9 . _ -.");
  CHECK_THROWS_TEXT(with({.task = "regression", .meta = {{"task", "x"}}}), ValueError,
                    "deploy: meta key task is given twice.");
  for (const char* bad :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x80\x80\x80"})
    CHECK_THROWS_TEXT(with({.preprocess = bad}), ValueError,
                      "deploy: the value of meta key preprocess must be UTF-8 without NUL.");
  CHECK_THROWS_AS(with({.preprocess = std::string("a\0b", 3)}), ValueError);
  Board board(image_of(model, {1, 4}, {.preprocess = "\xc2\xa2 \xe2\x82\xac \xf0\x9f\x90\xa6"}).bytes);
  CHECK(board.text() == "no error. Go on.");
}

// ---- the list of ops --------------------------------------------------------------------------------

TEST_CASE("no op waits for its lowering") {
  for (int i = 0; i < kOps; ++i)
    CHECK_MESSAGE(lowering(static_cast<Op>(i)) != Lowering::NOT_YET, name(static_cast<Op>(i)));
}

}  // namespace
}  // namespace linnet
