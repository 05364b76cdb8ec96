// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/passes/passes.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "linnet/autograd/ops.h"
#include "linnet/deploy/passes/draft.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/zoo/mobilenet.h"
#include "random_net.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/layer_catalog.h"

namespace linnet {
namespace {

using deploy::Draft;
using graph::Graph;
using graph::GraphModule;

/// Folding rounds each weight once more: the squared error, as a share of the squared output. The largest
/// seen on the networks below is 7e-14.
constexpr double kFolded = 1e-12;

double squared_error(const Tensor& actual, const Tensor& expected) {
  double error = 0.0, all = 1e-30;
  const auto a = actual.data<float>(), e = expected.data<float>();
  for (std::size_t i = 0; i < e.size(); ++i) {
    error += (double{a[i]} - e[i]) * (double{a[i]} - e[i]);
    all += double{e[i]} * e[i];
  }
  return error / all;
}

/// Evaluates both graphs and returns the larger of the errors at batch 1 and 3.
double error_between(const Graph& before, const State& state, const Graph& after,
                     const std::function<std::vector<Tensor>(std::int64_t batch)>& inputs) {
  GraphModule a(before, state), b(after);
  a.eval();
  b.eval();
  double worst = 0.0;
  for (std::int64_t batch : {1, 3}) {
    const std::vector<Tensor> x = inputs(batch);
    const Tensor expected = a.forward(x), actual = b.forward(x);
    REQUIRE(actual.shape() == expected.shape());
    worst = std::max(worst, squared_error(actual, expected));
  }
  return worst;
}

/// All passes, within a tolerance; a second time they find nothing.
Graph optimised(const Graph& graph, const State& state, double tolerance,
                const std::function<std::vector<Tensor>(std::int64_t batch)>& inputs) {
  const Graph result = deploy::optimise(graph, state).graph;
  CHECK(error_between(graph, state, result, inputs) <= tolerance);
  CHECK(result.nodes().size() <= graph.nodes().size());
  const deploy::Optimised again = deploy::optimise(result, {});
  CHECK(again.graph.str() == result.str());
  CHECK(again.graph.hash() == result.hash());
  for (const auto& pass : again.passes) CHECK_MESSAGE(pass.second == 0, pass.first);
  return result;
}

using Function = std::function<Tensor(const Tensor&)>;

/// A function of one input [N, sample...], before and after all passes: the ops that are left, in order.
std::string ops_left(const Shape& sample, const Function& f, double tolerance = kFolded) {
  nn::Module empty;
  const std::vector<graph::InputSpec> inputs{{sample.inserted(0, 1)}};
  const Graph graph = graph::trace(
      empty, [&](std::span<const Tensor> x) { return f(x[0]); }, inputs);
  const Graph result = optimised(graph, {}, tolerance, [&](std::int64_t batch) {
    return std::vector<Tensor>{test::random_tensor(sample.inserted(0, batch), 77, -2.0, 2.0)};
  });
  std::string all;
  for (const graph::Node& node : result.nodes()) {
    all += (all.empty() ? "" : " ") + Graph::op_name(node);
    if (node.attributes.has("activation")) all += "+" + node.attributes["activation"].text();
  }
  return all;
}

Tensor numbers(const Shape& shape, std::uint64_t seed = 1) {
  return test::random_tensor(shape, seed, -0.5, 0.5);
}

Tensor norm(const Tensor& x, bool weighted = true, double mean = 0.0) {
  const std::int64_t c = x.dim(-1);
  Tensor centre = test::random_tensor({c}, 5, mean - 0.5, mean + 0.5),
         variance = test::random_tensor({c}, 6, 0.25, 2.0);
  return batch_norm(x, centre, variance, weighted ? numbers({c}, 7) : Tensor(),
                    weighted ? numbers({c}, 8) : Tensor(), {.eps = 1e-3}, false);
}

// ---- each pass by itself: bit for bit, but for the folding -----------------------------------------------

TEST_CASE("what changes nothing is dropped, bit for bit") {
  const Shape image{4, 3, 2};
  const auto left = [&](const Function& f) {
    return ops_left(
        image, [&](const Tensor& x) { return neg(f(x)); }, 0.0);
  };
  CHECK(left([](const Tensor& x) { return dropout(x, 0.5, false); }) == "neg");
  CHECK(left([](const Tensor& x) { return spatial_dropout(x, 0.5, false); }) == "neg");
  CHECK(left([](const Tensor& x) { return x.reshape({-1, 4, 3, 2}); }) == "neg");
  CHECK(left([](const Tensor& x) { return transpose(x, {0, 1, 2, 3}); }) == "neg");
  CHECK(left([](const Tensor& x) { return slice(x, 1, 0, 4); }) == "neg");
  CHECK(left([](const Tensor& x) { return pad(x, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}); }) == "neg");
  CHECK(left([](const Tensor& x) { return concat({x}, 1); }) == "neg");
  CHECK(left([](const Tensor& x) { return max_pool2d(x, {.kernel = 1}); }) == "neg");
  CHECK(left([](const Tensor& x) { return avg_pool2d(x, {.kernel = 1}); }) == "neg");
  CHECK(left([](const Tensor& x) { return upsample2d(x, {4, 3}, Interpolation::nearest); }) == "neg");
  CHECK(left([](const Tensor& x) { return (1.0 * x / 1.0 + 0.0) - 0.0; }) == "neg");
  CHECK(left([](const Tensor& x) { return relu(relu(relu6(x))); }) == "relu6 neg");
  CHECK(left([](const Tensor& x) { return relu(softmax(x)); }) == "softmax neg");
}

TEST_CASE("what changes something stays") {
  const auto left = [](const Function& f) { return ops_left({4, 3, 2}, f, 0.0); };
  CHECK(left([](const Tensor& x) { return slice(x, 1, 1, 4); }) == "slice");
  CHECK(left([](const Tensor& x) { return transpose(x, {0, 2, 1, 3}); }) == "transpose");
  CHECK(left([](const Tensor& x) { return relu6(relu(x)); }) == "relu relu6");
  CHECK(left([](const Tensor& x) { return max_pool2d(x, {.kernel = 1, .stride = Pair(2)}); }) ==
        "max_pool2d");
}

TEST_CASE("what reads only constants is computed at export, bit for bit") {
  CHECK(ops_left(
            {6},
            [](const Tensor& x) {
              return dense(x, numbers({3, 6}) * numbers({6}, 2), exp(numbers({3}, 3)));
            },
            0.0) == "dense");
  CHECK(ops_left(
            {6}, [](const Tensor& x) { return x * softmax(numbers({6})); }, 0.0) == "mul");
  // But not when the result is much larger than what it is made of.
  CHECK(ops_left(
            {600, 600, 1},
            [](const Tensor& x) {
              return x + upsample2d(numbers({1, 2, 2, 1}), {600, 600}, Interpolation::nearest);
            },
            0.0) == "upsample2d add");
}

TEST_CASE("reshapes and transposes behind one another become one or none, bit for bit") {
  const auto left = [](const Function& f) { return ops_left({4, 3, 2}, f, 0.0); };
  CHECK(left([](const Tensor& x) {
          return neg(x.reshape({-1, 12, 2}).reshape({-1, 6, 4}));
        }) == "reshape neg");
  CHECK(left([](const Tensor& x) { return neg(x.reshape({-1, 12, 2}).reshape({-1, 4, 3, 2})); }) == "neg");
  CHECK(left([](const Tensor& x) { return transpose(transpose(x, {0, 2, 3, 1}), {0, 3, 1, 2}); }) == "");
  CHECK(left([](const Tensor& x) {
          return transpose(transpose(x, {0, 2, 3, 1}), {0, 2, 1, 3});
        }) == "transpose");
  CHECK(left([](const Tensor& x) {
          return neg(transpose(x.reshape({-1, 4, 1, 6}), {0, 2, 1, 3}));
        }) == "reshape neg");
  CHECK(left([](const Tensor& x) { return channel_shuffle(x, 2); }) == "");  // of two channels
  CHECK(left([](const Tensor& x) {
          return transpose(x.reshape({-1, 4, 3, 2}), {1, 0, 2, 3});
        }) == "transpose");
}

TEST_CASE("a product with a constant becomes dense") {
  CHECK(ops_left({6}, [](const Tensor& x) { return matmul(x, numbers({6, 4})) + numbers({4}); }) == "dense");
  CHECK(ops_left({6}, [](const Tensor& x) { return matmul(x, transpose(x)); }) == "transpose matmul");
}

TEST_CASE("batch-norm goes into the convolution or dense before it") {
  const Shape image{6, 5, 4};
  const auto left = [&](const Function& f) { return ops_left(image, f); };
  CHECK(left([](const Tensor& x) { return norm(conv2d(x, numbers({6, 3, 3, 4}))); }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return norm(conv2d(x, numbers({6, 3, 3, 4}), numbers({6})), false);
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return norm(conv2d(x, numbers({6, 2, 2, 2}), {},
                             {.stride = 2, .padding = Padding::same_size(), .groups = 2}));
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return norm(conv2d(x, numbers({8, 3, 3, 1}), numbers({8}), {.padding = 1, .groups = 4}));
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return norm(conv_transpose2d(x, numbers({6, 3, 3, 2}), {}, {.stride = 2, .groups = 2}));
        }) == "conv_transpose2d");
  CHECK(left([](const Tensor& x) { return norm(dense(x, numbers({7, 4}), numbers({7}))); }) == "dense");
  CHECK(left([](const Tensor& x) { return norm(dense(x, numbers({7, 4})), true, 100.0); }) == "dense");
  CHECK(left([](const Tensor& x) {
          return relu(norm(dense(x, numbers({7, 4})).reshape({-1, 6, 7})).reshape({-1, 42}));
        }) == "dense+relu reshape");
}

TEST_CASE("batch-norm goes into the convolution or dense behind it unless padding comes between") {
  const Shape image{6, 5, 4};
  const auto left = [&](const Function& f) { return ops_left(image, f); };
  CHECK(left([](const Tensor& x) { return conv2d(norm(x), numbers({6, 3, 3, 4})); }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return conv2d(norm(x), numbers({6, 3, 3, 2}), numbers({6}), {.stride = 2, .groups = 2});
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return conv2d(norm(x), numbers({4, 3, 3, 1}), {}, {.dilation = 2, .groups = 4});
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return conv2d(norm(x), numbers({6, 1, 1, 4}), {}, {.padding = Padding::same_size()});
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return dense(norm(x).reshape({-1, 120}), numbers({3, 120}));
        }) == "reshape dense");
  CHECK(left([](const Tensor& x) {
          return conv2d(norm(x), numbers({6, 3, 3, 4}), {}, {.padding = 1});
        }) == "batch_norm conv2d");
  CHECK(left([](const Tensor& x) {
          return conv_transpose2d(norm(x), numbers({6, 3, 3, 4}));
        }) == "batch_norm conv_transpose2d");
}

TEST_CASE("batch-norm without such a neighbour stays, and takes an activation") {
  const Shape image{6, 5, 4};
  CHECK(ops_left(image, [](const Tensor& x) { return norm(relu(x)); }) == "relu batch_norm");
  CHECK(ops_left(image, [](const Tensor& x) {
          const Tensor y = conv2d(x, numbers({6, 3, 3, 4}));
          return concat({norm(y), y}, 3);  // the convolution has a second reader
        }) == "conv2d batch_norm concat");
  CHECK(ops_left(image, [](const Tensor& x) {
          return norm(relu(conv2d(x, numbers({6, 3, 3, 4}))));
        }) == "conv2d+relu batch_norm");
  CHECK(ops_left(image, [](const Tensor& x) { return tanh(norm(relu(x))); }) == "relu batch_norm+tanh");
  // Not forwards when the mean is far from 0: of x near 1000, x scale + shift would keep four digits.
  CHECK(ops_left(image, [](const Tensor& x) {
          return dense(norm(x * 0.001 + 1000.0, true, 1000.0), numbers({3, 4}));
        }) == "mul add batch_norm dense");
}

TEST_CASE("arithmetic with a constant a channel goes into its neighbours") {
  const Shape image{6, 5, 4};
  const auto left = [&](const Function& f) { return ops_left(image, f); };
  CHECK(left([](const Tensor& x) {
          return (dense(x, numbers({8, 4})) + numbers({8})) * numbers({1, 1, 8}, 3);
        }) == "dense");
  CHECK(left([](const Tensor& x) {
          return 2.0 - conv2d(x, numbers({8, 1, 1, 4}), numbers({8})) / 3.0;
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return conv2d(x * numbers({4}), numbers({6, 3, 3, 4}), {}, {.padding = 1});
        }) == "conv2d");
  CHECK(left([](const Tensor& x) {
          return conv_transpose2d(x / 2.0, numbers({6, 3, 3, 2}), numbers({6}), {.groups = 2});
        }) == "conv_transpose2d");
  // Not a number a channel; the divisor; a shift forwards, whose size beside x is unknown.
  CHECK(left([](const Tensor& x) { return dense(x, numbers({8, 4})) * numbers({5, 8}); }) == "dense mul");
  CHECK(left([](const Tensor& x) { return 1.0 / dense(x, numbers({8, 4})); }) == "dense div");
  CHECK(left([](const Tensor& x) { return dense(x + 0.5, numbers({8, 4})); }) == "add dense");
  // Not when a weight would leave the range of f32.
  CHECK(left([](const Tensor& x) { return dense(x * 1e-30, numbers({2, 4})) * 1e38 * 1e38; }) != "dense");
}

TEST_CASE("activations are fused behind dense and convolutions, bit for bit") {
  const Shape image{6, 5, 4};
  const auto left = [&](const Function& f) { return ops_left(image, f, 0.0); };
  const auto conv = [](const Tensor& x) { return conv2d(x, numbers({8, 3, 3, 4})); };
  CHECK(left([&](const Tensor& x) { return relu(conv(x)); }) == "conv2d+relu");
  CHECK(left([&](const Tensor& x) { return hard_swish(conv(x)); }) == "conv2d+hard_swish");
  CHECK(left([&](const Tensor& x) { return leaky_relu(conv(x), 0.3); }) == "conv2d+leaky_relu");
  CHECK(left([&](const Tensor& x) { return tanh(dense(x, numbers({2, 4}))); }) == "dense+tanh");
  CHECK(left([&](const Tensor& x) {
          return silu(conv_transpose2d(x, numbers({2, 2, 2, 4})));
        }) == "conv_transpose2d+silu");
  CHECK(left([&](const Tensor& x) { return relu(tanh(conv(x))); }) == "conv2d+tanh relu");
  CHECK(left([&](const Tensor& x) { return exp(conv(x)); }) == "conv2d+exp");
  CHECK(left([&](const Tensor& x) {
          const Tensor y = conv(x);
          return relu(y) + y;
        }) == "conv2d relu add");
}

TEST_CASE("constants with the same contents are kept once, bit for bit") {
  nn::Module empty;
  const std::vector<graph::InputSpec> inputs{{{1, 4}}};
  const Graph graph = graph::trace(
      empty,
      [&](std::span<const Tensor> x) {
        const Tensor a = dense(x[0], numbers({4, 4}), numbers({4}));
        return relu(dense(a, numbers({4, 4}), numbers({4})) - x[0].reshape({-1, 4}) * a) / numbers({1, 4});
      },
      inputs);
  CHECK(graph.of_kind(graph::Kind::constant).size() == 5);
  Draft draft(graph, {});
  CHECK(deploy::share_constants(draft) == 2);
  CHECK(draft.graph().of_kind(graph::Kind::constant).size() == 3);  // [4] and [1, 4] differ
}

TEST_CASE("branches run in the order that needs the smallest arena, bit for bit") {
  // Four wide results, each made narrow before the next one is needed.
  nn::Module empty;
  const std::vector<graph::InputSpec> inputs{{{1, 8, 8, 2}}};
  const Graph graph = graph::trace(
      empty,
      [&](std::span<const Tensor> x) {
        std::vector<Tensor> wide, narrow;
        for (std::uint64_t i = 0; i < 4; ++i) wide.push_back(dense(x[0], numbers({16, 2}, i)));
        for (const Tensor& w : wide) narrow.push_back(mean(w, {1, 2}));
        return concat(narrow, 1);
      },
      inputs);
  const Graph result = optimised(graph, {}, 0.0, [](std::int64_t batch) {
    return std::vector<Tensor>{test::random_tensor({batch, 8, 8, 2}, 3)};
  });
  std::string ops;
  for (const graph::Node& node : result.nodes()) ops += Graph::op_name(node) + " ";
  CHECK(ops == "dense mean dense mean dense mean dense mean concat ");
}

// ---- whole networks ---------------------------------------------------------------------------------------

/// Weights and statistics that are not those of a new layer; variances stay positive.
State drawn(const nn::Module& module) {
  State state;
  std::uint64_t seed = 40;
  for (const auto& [name, value] : module.state()) {
    const Tensor& tensor = value.tensor();
    const bool statistic = name.ends_with("running_var") || name.ends_with("running_mean");
    state.set(name, is_float(tensor.dtype()) && statistic
                        ? test::random_tensor(tensor.shape(), seed++, 0.5, 1.5, tensor.dtype())
                        : tensor.clone());
  }
  return state;
}

TEST_CASE("every layer of the catalog keeps its outputs") {
  manual_seed(1);
  for (const test::LayerCase& row : test::layer_catalog()) {
    CAPTURE(row.describe);
    const std::unique_ptr<nn::Module> layer = row.make();
    std::vector<graph::InputSpec> inputs;
    for (const test::LayerInput& input : row.inputs)
      inputs.push_back({input.sample.inserted(0, 1), input.below ? i64 : f32});
    const Graph graph = graph::trace(
        *layer, [&](std::span<const Tensor> x) { return row.call(*layer, x); }, inputs);
    optimised(graph, drawn(*layer), kFolded,
              [&](std::int64_t batch) { return test::layer_inputs(row, batch, 5); });
  }
}

TEST_CASE("random networks keep their outputs") {
  nn::Module empty;
  const std::vector<graph::InputSpec> inputs{{{1, 8, 7, 4}}};
  std::size_t before = 0, after = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const Graph graph = graph::trace(
        empty, [&](std::span<const Tensor> x) { return test::run_random_net(seed, x[0]); }, inputs);
    const Graph result = optimised(graph, {}, kFolded, [&](std::int64_t batch) {
      return std::vector<Tensor>{test::random_tensor({batch, 8, 7, 4}, seed)};
    });
    before += graph.nodes().size();
    after += result.nodes().size();
  }
  CHECK(after * 10 < before * 9);
}

TEST_CASE("MobileNetV1 becomes 27 convolutions, a mean and a dense") {
  manual_seed(1);
  nn::Sequential model = nn::zoo::mobilenet_v1({.width = 0.25, .classes = 10});
  const Graph graph = graph::trace(model, {1, 32, 32, 3});
  const Graph result = optimised(graph, drawn(model), kFolded, [](std::int64_t batch) {
    return std::vector<Tensor>{test::random_tensor({batch, 32, 32, 3}, 5)};
  });
  CHECK(graph.nodes().size() == 83);
  CHECK(result.nodes().size() == 29);
  CHECK(result.of_kind(graph::Kind::parameter).empty());
}

TEST_CASE(
    "batch-norm stays behind a large weight that shares its values, which else would share them no more") {
  manual_seed(1);
  nn::Sequential model{nn::Conv2D(8, 32), nn::BatchNorm(32)};  // 2304 weights
  const Graph graph = graph::trace(model, {1, 8, 8, 8});
  State shared;
  for (const auto& [name, value] : drawn(model)) {
    Tensor t = value.tensor().clone();
    if (name == "0.weight")
      for (float& w : t.mutable_data<float>()) w = std::round(128.0f * w) / 128.0f;
    shared.set(name, t);
  }
  CHECK(deploy::optimise(graph, drawn(model)).graph.nodes().size() == 1);
  CHECK(deploy::optimise(graph, shared).graph.nodes().size() == 2);
}

TEST_CASE("passes say how often they found something") {
  nn::Sequential model{nn::Conv2D(1, 4, {.bias = false}), nn::BatchNorm(4), nn::ReLU(), nn::Dropout(0.1)};
  const deploy::Optimised result = deploy::optimise(graph::trace(model, {1, 8, 8, 1}), model.state());
  std::string found;
  for (const auto& pass : result.passes)
    if (pass.second != 0) found += concat({pass.first, " ", pass.second, ", "});
  CHECK(found == "drop identities 1, fold batch-norm 1, fuse activations 1, ");
}

TEST_CASE("parameters that are missing or do not fit are refused") {
  nn::Sequential model{nn::Dense(4, 2)}, other{nn::Dense(4, 3)};
  const Graph graph = graph::trace(model, {1, 4});
  CHECK_THROWS_AS(deploy::optimise(graph, {}), StateError);
  CHECK_THROWS_TEXT(deploy::optimise(graph, other.state()), GraphError,
                    "deploy: 0.weight must be f32 [2, 4], got f32 [3, 4].");
}

}  // namespace
}  // namespace linnet
