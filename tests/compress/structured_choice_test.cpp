// SPDX-License-Identifier: Apache-2.0
// Which channels go, counted by hand; statistics anew; texts.
#include <cmath>

#include "linnet/autograd/ops.h"
#include "linnet/compress/structured.h"
#include "linnet/core/random.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/sgd.h"
#include "shrunk.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using compress::Criterion;
using compress::prune_structured;
using compress::Scope;
using compress::Shrunk;
using graph::GraphModule;
using Places = std::vector<std::vector<std::int64_t>>;

/// Row i of a weight gets the value i of the list.
void set_rows(Tensor weight, std::initializer_list<double> rows) {
  const std::int64_t length = weight.size() / weight.dim(0);
  auto values = weight.mutable_data<float>();
  std::size_t at = 0;
  for (const double value : rows)
    for (std::int64_t i = 0; i < length; ++i) values[at++] = static_cast<float>(i % 2 ? -value : value);
}

TEST_CASE("the units with the smallest weights go, with their biases and the columns that read them") {
  nn::Sequential net{nn::Dense(3, 4), nn::ReLU(), nn::Dense(4, 2)};
  auto& fc1 = dynamic_cast<nn::Dense&>(net[0]);
  set_rows(fc1.weight, {0.5, 0.25, 2.0, 0.125});
  fc1.bias.copy_(Tensor::from({1, 2, 3, 4}));
  const Shrunk small = prune_structured(graph_of(net, {1, 3}), {.sparsity = 0.5});
  REQUIRE(small.kept.size() == 3);
  CHECK(small.kept.at("0.weight").axes == Places{{0, 2}, {}});
  CHECK(small.kept.at("0.bias").axes == Places{{0, 2}});
  CHECK(small.kept.at("2.weight").axes == Places{{}, {0, 2}});
  CHECK(small.kept.at("2.weight").before == Shape{2, 4});
  CHECK_CLOSE(small.model.state()["0.bias"].tensor(), Tensor::from({1, 3}), tol::exact);
  CHECK(small.macs_before == 3 * 4 + 4 * 2);
  CHECK(small.macs_after == 3 * 2 + 2 * 2);
  CHECK(small.str() == "0.weight: 4 -> 2 channels\nparameters: 26 -> 14\nmultiply-accumulates: 20 -> 10\n");
}

TEST_CASE("of equal channels the first go; counts are rounded, kept to a minimum and to multiples") {
  nn::Sequential net{nn::Dense(3, 10), nn::ReLU(), nn::Dense(10, 2)};
  for (const NamedTensor& named : net.parameters()) Tensor(named.second).fill_(0.5);
  const GraphModule large = graph_of(net, {1, 3});
  const auto kept = [&](const compress::StructuredOptions& options) {
    const Shrunk small = prune_structured(large, options);
    return small.kept.empty() ? std::vector<std::int64_t>{} : small.kept.at("0.weight").axes[0];
  };
  CHECK(kept({.sparsity = 0.74}) == std::vector<std::int64_t>{7, 8, 9});
  CHECK(kept({.sparsity = 0.75}) == std::vector<std::int64_t>{8, 9});
  CHECK(kept({.sparsity = 0.99}) == std::vector<std::int64_t>{9});
  CHECK(kept({.sparsity = 0.99, .min_channels = 4}) == std::vector<std::int64_t>{6, 7, 8, 9});
  CHECK(kept({.sparsity = 0.6, .multiple = 8}) == std::vector<std::int64_t>{2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(kept({.sparsity = 0.1, .multiple = 8}).empty());  // all ten
  CHECK(kept({.sparsity = 0.0}).empty());
}

TEST_CASE("globally, layers are compared by their means, or by batch-norm scales as they are") {
  nn::Sequential net{nn::Conv2D(1, 4, {.kernel = 1}), nn::BatchNorm(4), nn::ReLU(),
                     nn::Conv2D(4, 4, {.kernel = 1}), nn::BatchNorm(4), nn::ReLU(),
                     nn::Conv2D(4, 2, {.kernel = 1})};
  set_rows(dynamic_cast<nn::Conv2D&>(net[0]).weight, {1, 1, 1, 5});        // of their mean 2: 0.5 0.5 0.5 2.5
  set_rows(dynamic_cast<nn::Conv2D&>(net[3]).weight, {0.1, 0.1, 0.4, 1});  // of 0.4: 0.25 0.25 1 2.5
  dynamic_cast<nn::BatchNorm&>(net[1]).weight.copy_(Tensor::from({0.1, -0.9, 0.8, 0.7}));
  dynamic_cast<nn::BatchNorm&>(net[4]).weight.copy_(Tensor::from({-0.2, 0.3, 0.6, 0.05}));
  const GraphModule large = graph_of(net, {1, 2, 2, 1});
  Shrunk small = prune_structured(large, {.sparsity = 0.5, .scope = Scope::global});
  CHECK(small.kept.at("0.weight").axes[0] == std::vector<std::int64_t>{2, 3});
  CHECK(small.kept.at("3.weight").axes == Places{{2, 3}, {}, {}, {2, 3}});
  small = prune_structured(
      large, {.sparsity = 0.5, .scope = Scope::global, .criterion = Criterion::batch_norm_scale});
  CHECK(small.kept.at("0.weight").axes[0] == std::vector<std::int64_t>{1, 2, 3});
  CHECK(small.kept.at("3.weight").axes == Places{{2}, {}, {}, {1, 2, 3}});
  small = prune_structured(large, {.sparsity = 0.5, .pattern = "3.*"});
  CHECK_FALSE(small.kept.contains("0.weight"));
  CHECK(small.layers.size() == 1);
  CHECK(small.model.graph().values()[0].sizes == graph::Sizes{-1, 2, 2, 1});
}

TEST_CASE("channels that an add joins go together, their importances added up") {
  nn::Sequential net{nn::Dense(2, 3), nn::Residual{nn::Dense(3, 3)}, nn::ReLU(), nn::Dense(3, 2)};
  for (const NamedTensor& named : net.parameters())
    if (named.first == "0.weight")
      set_rows(named.second, {0.1, 0.5, 0.3});  // times 2: 0.2 1 0.6
    else if (named.first == "1.inner.weight")
      set_rows(named.second, {0.4, 0.1, 0.1});  // times 3: 1.2 0.3 0.3
  const Shrunk small = prune_structured(graph_of(net, {1, 2}), {.sparsity = 0.34});
  CHECK(small.kept.at("0.weight").axes == Places{{0, 1}, {}});
  CHECK(small.kept.at("1.inner.weight").axes == Places{{0, 1}, {0, 1}});
  CHECK(small.kept.at("3.weight").axes == Places{{}, {0, 1}});
  REQUIRE(small.layers.size() == 1);
  CHECK(small.layers[0].name == "0.weight + 1.inner.weight");
}

TEST_CASE(
    "depthwise channels go with those they read, other groups as wholes, and flatten makes H W columns") {
  nn::Sequential net{nn::Conv2D(1, 4, {.kernel = 1}), nn::DepthwiseConv2D(4), nn::Flatten(),
                     nn::Dense(16, 2)};
  set_rows(dynamic_cast<nn::Conv2D&>(net[0]).weight, {1, 4, 2, 3});
  for (const NamedTensor& named : net.parameters())
    if (named.first == "1.weight") Tensor(named.second).fill_(1.0);
  Shrunk small = prune_structured(graph_of(net, {1, 4, 4, 1}), {.sparsity = 0.5});
  CHECK(small.kept.at("1.weight").axes == Places{{1, 3}, {}, {}, {}});
  CHECK(small.kept.at("3.weight").axes == Places{{}, {1, 3, 5, 7, 9, 11, 13, 15}});
  CHECK(small.model.graph().nodes()[1].attributes["groups"].integer() == 2);

  nn::Sequential grouped{nn::Conv2D(1, 6, {.kernel = 1}), nn::Conv2D(6, 3, {.kernel = 1, .groups = 3}),
                         nn::Conv2D(3, 2, {.kernel = 1})};
  for (const NamedTensor& named : grouped.parameters()) Tensor(named.second).fill_(1.0);
  set_rows(dynamic_cast<nn::Conv2D&>(grouped[0]).weight, {9, 9, 1, 5, 7, 0});
  small = prune_structured(graph_of(grouped, {1, 2, 2, 1}), {.sparsity = 0.34});
  CHECK(small.kept.at("0.weight").axes[0] == std::vector<std::int64_t>{0, 1, 4, 5});
  CHECK(small.kept.at("1.weight").axes == Places{{0, 2}, {}, {}, {}});
  CHECK(small.model.graph().nodes()[1].attributes["groups"].integer() == 2);
}

TEST_CASE("weights behind fake_quant shrink with their ranges") {
  struct Net : nn::Module {
    nn::Dense a{2, 4}, b{4, 2};
    Tensor rows = Tensor::full({4}, 1.0), last = Tensor::from({5, 6}), seen = Tensor::from({-1, 2});
    void members(nn::Members& m) override {
      m.child("a", a);
      m.buffer("a.weight/range", rows);
      m.buffer("seen/range", seen);
      m.child("b", b);
      m.buffer("b.weight/range", last);
    }
    Tensor operator()(const Tensor& x) {
      const Tensor weight = fake_quant(a.weight, rows, {.symmetric = true}, false);
      const Tensor inner = fake_quant(relu(dense(x, weight, a.bias)), seen, {}, false);
      return dense(inner, fake_quant(b.weight, last, {.symmetric = true}, false), b.bias);
    }
  } net;
  set_rows(net.a.weight, {0.1, 0.4, 0.2, 0.3});
  net.rows.copy_(Tensor::from({1, 2, 3, 4}));
  Shrunk small = prune_structured(graph_of(net, {1, 2}), {.sparsity = 0.5});
  CHECK_CLOSE(small.model.state()["a.weight/range"].tensor(), Tensor::from({2, 4}), tol::exact);
  CHECK_CLOSE(small.model.state()["b.weight/range"].tensor(), Tensor::from({5, 6}), tol::exact);
  CHECK_CLOSE(small.model.state()["seen/range"].tensor(), Tensor::from({-1, 2}), tol::exact);
  CHECK(small.model(Tensor::ones({3, 2})).shape() == Shape{3, 2});
}

TEST_CASE("what a normalisation over channels, a reduction or the output looks at stays") {
  struct Net : nn::Module {
    nn::Dense a{2, 4}, b{4, 4}, c{4, 6}, d{6, 4};
    nn::LayerNorm norm{4};
    void members(nn::Members& m) override {
      m.child("a", a);
      m.child("b", b);
      m.child("c", c);
      m.child("d", d);
      m.child("norm", norm);
    }
    Tensor operator()(const Tensor& x) {
      const Tensor h = norm(a(x)), g = b(h);
      return d(relu(c(g))) + mean(g, 1, true);
    }
  } net;
  const Shrunk small = prune_structured(graph_of(net, {1, 2}), {.sparsity = 0.5});
  REQUIRE(small.layers.size() == 1);
  CHECK(small.layers[0].name == "c.weight");
}

TEST_CASE("options out of range and networks without channels that may go are refused") {
  nn::Sequential one{nn::Dense(3, 2)}, lstm{nn::LSTM(3, 4), nn::Dense(4, 2)};
  nn::Sequential two{nn::Dense(3, 4), nn::ReLU(), nn::Dense(4, 2)};
  const GraphModule large = graph_of(two, {1, 3});
  const std::string nothing =
      "prune_structured: there is no channel that may go. Outputs, recurrent units and what LayerNorm or "
      "Softmax "
      "looks at stay";
  CHECK_THROWS_TEXT(prune_structured(graph_of(one, {1, 3}), {.sparsity = 0.5}), ValueError, nothing + ".");
  CHECK_THROWS_TEXT(prune_structured(graph_of(lstm, {1, 5, 3}), {.sparsity = 0.5}), ValueError,
                    nothing + ".");
  CHECK_THROWS_TEXT(prune_structured(large, {.sparsity = 0.5, .criterion = Criterion::batch_norm_scale}),
                    ValueError, nothing + ", and so do channels without a batch-norm behind them.");
  CHECK_THROWS_TEXT(
      prune_structured(large, {.sparsity = 1.0}), ValueError,
      "prune_structured: sparsity must be in [0, 1), got 1. It is the share of channels that go.");
  CHECK_THROWS_TEXT(prune_structured(large, {.min_channels = 0}), ValueError,
                    "prune_structured: min_channels and multiple must be at least 1, got 0 and 1.");
  CHECK_THROWS_TEXT(prune_structured(large, {.sparsity = 0.5, .pattern = "fc*"}), ValueError,
                    "prune_structured: the pattern \"fc*\" matches no weight of a Dense or convolution.");
  optim::SGD sgd(large.parameters(), {.lr = 0.1, .momentum = 0.9});
  const Shrunk small = prune_structured(large, {.sparsity = 0.5});
  const State wrong{{"0.weight/momentum", Tensor::zeros({2, 2})}};
  CHECK_THROWS_TEXT(
      compress::shrink_state(wrong, small.kept), StateError,
      "shrink_state: 0.weight/momentum must have the shape of its parameter, [4, 3], got [2, 2].");
  dynamic_cast<nn::Dense&>(two[0]).weight.fill_(INFINITY);
  CHECK_THROWS_TEXT(prune_structured(graph_of(two, {1, 3}), {.sparsity = 0.5}), ValueError,
                    "prune_structured: 0.weight is not finite.");
}

TEST_CASE("batch-norm statistics anew are mean and variance of all samples, dropped by nothing") {
  nn::Sequential net{nn::Dropout(0.5), nn::BatchNorm(3), nn::Dense(3, 2), nn::BatchNorm(2, {.frozen = true})};
  GraphModule model = graph_of(net, {1, 3});
  const Tensor x = random_tensor({50, 3}, 1, -2.0, 5.0, f64);
  const data::TensorDataset data(x.to(f32), {});
  const State before = rng_state(), frozen = model.state();
  compress::reestimate_batch_norm(model, data, 100, 16);
  CHECK(rng_state() == before);
  CHECK(model.training());
  CHECK(model.state()["3.running_mean"] == frozen["3.running_mean"]);
  std::vector<double> means(3), variances(3);
  for (std::size_t c = 0; c < 3; ++c) {
    const auto values = x.data<double>();
    for (std::size_t i = 0; i < 50; ++i) means[c] += values[3 * i + c] / 50;
    for (std::size_t i = 0; i < 50; ++i) variances[c] += std::pow(values[3 * i + c] - means[c], 2) / 49;
  }
  CHECK_CLOSE(model.state()["1.running_mean"].tensor(), means, tol::f32_accumulated(50));
  CHECK_CLOSE(model.state()["1.running_var"].tensor(), variances, tol::f32_accumulated(50));

  // Two of the samples, at equal distances: 0 and 25.
  compress::reestimate_batch_norm(model, data, 2, 1);
  const float first = x.to(f32).data<float>()[0], second = x.to(f32).data<float>()[75];
  CHECK_CLOSE(model.state()["1.running_mean"].tensor().data<float>()[0], (first + second) / 2, tol::f32);
  CHECK_CLOSE(model.state()["1.running_var"].tensor().data<float>()[0], std::pow(first - second, 2) / 2,
              tol::f32);
}

TEST_CASE("a batch-norm behind another sees what that one makes of its own statistics, over all places") {
  nn::Sequential net{nn::BatchNorm(3), nn::BatchNorm(3)};
  GraphModule model = graph_of(net, {1, 5, 1, 3});
  const data::TensorDataset data(random_tensor({10, 5, 1, 3}, 1, -2.0, 5.0), {});
  compress::reestimate_batch_norm(model, data, 10, 10);
  CHECK_CLOSE(model.state()["1.running_mean"].tensor(), Tensor::zeros({3}), tol::f32_accumulated(50));
  CHECK_CLOSE(model.state()["1.running_var"].tensor(), Tensor::full({3}, 50.0 / 49.0),
              tol::f32_accumulated(50));
}

TEST_CASE("statistics anew are refused where there are none, or two in one") {
  nn::Sequential plain{nn::Dense(3, 2)};
  GraphModule model = graph_of(plain, {1, 3});
  const data::TensorDataset data(random_tensor({4, 3}, 1), {});
  CHECK_THROWS_TEXT(compress::reestimate_batch_norm(model, data), ValueError,
                    "reestimate_batch_norm: the network has no batch-norm whose statistics move.");
  CHECK_THROWS_TEXT(compress::reestimate_batch_norm(model, data, 0), ValueError,
                    "reestimate_batch_norm: samples and batch must be at least 1, got 0 and 64.");
  CHECK_THROWS_TEXT(compress::reestimate_batch_norm(model, data::Subset(data, std::int64_t{0})), ValueError,
                    "reestimate_batch_norm: the dataset has no samples.");
  struct Twice : nn::Module {
    nn::BatchNorm norm{3};
    void members(nn::Members& m) override { m.child("norm", norm); }
    Tensor operator()(const Tensor& x) { return norm(relu(norm(x))); }
  } net;
  GraphModule twice = graph_of(net, {1, 3});
  CHECK_THROWS_TEXT(compress::reestimate_batch_norm(twice, data), ValueError,
                    "reestimate_batch_norm: norm.running_mean is used twice in one pass.");
}

}  // namespace
}  // namespace linnet::test
