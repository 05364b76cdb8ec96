// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/placement_impl.h"

#include <functional>

#include "linnet/autograd/ops.h"
#include "linnet/compress/qat.h"
#include "linnet/compress/rewrite_impl.h"
#include "linnet/graph/trace.h"
#include "linnet/nn/nn.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using compress::PlacementOptions;
using compress::QuantMode;

/// The ops in running order; of a fake_quant the name of its range, [] for a dynamic one.
std::string ops_of(const graph::Graph& graph) {
  std::string all;
  for (const graph::Node& node : graph.nodes()) {
    all += all.empty() ? "" : " ";
    if (node.op != Op::fake_quant)
      all += graph::Graph::op_name(node);
    else
      all +=
          node.inputs.size() < 2
              ? "[]"
              : "[" +
                    graph.value_name(node.inputs[1]).substr(0, graph.value_name(node.inputs[1]).rfind('/')) +
                    "]";
  }
  return all;
}

template <class M>
std::string placed(M&& model, const Shape& input, const PlacementOptions& options = {}) {
  return ops_of(compress::place_fake_quant(graph::trace(model, input), options).graph);
}

struct Around : nn::Module {
  using Call = std::function<Tensor(nn::Dense&, nn::Dense&, const Tensor&)>;
  explicit Around(Call call) : call_(std::move(call)) {}
  nn::Dense a{4, 4}, b{4, 4};
  void members(nn::Members& m) override {
    m.child("a", a);
    m.child("b", b);
  }
  Tensor operator()(const Tensor& x) { return call_(a, b, x); }

 private:
  Call call_;
};

TEST_CASE("what another branch has rounded for itself passes through an op that keeps its scale") {
  Around net([](nn::Dense& a, nn::Dense& b, const Tensor& x) {
    const Tensor first = a(x);
    return first + b(slice(x, 0, 0, 99));
  });
  const graph::Graph graph = compress::place_fake_quant(graph::trace(net, {1, 4}), {}).graph;
  int slices = 0;
  for (const graph::Node& node : graph.nodes()) {
    if (node.op != Op::slice) continue;
    ++slices;
    REQUIRE(graph.writer(node.inputs[0]) != nullptr);
    CHECK(graph.writer(node.inputs[0])->op == Op::fake_quant);
  }
  CHECK(slices == 1);
}

TEST_CASE(
    "convolutions with their batch-norm and relu are one step; averages get a range, maxima and reshapes "
    "keep it") {
  nn::Sequential net{nn::Conv2D(1, 4), nn::BatchNorm(4),       nn::ReLU(),
                     nn::MaxPool2D(),  nn::DepthwiseConv2D(4), nn::ReLU6(),
                     nn::AvgPool2D(),  nn::Flatten(),          nn::Dense(4, 3)};
  CHECK(placed(net, {1, 12, 12, 1}) ==
        "[0.weight] [input] conv2d batch_norm relu [0] max_pool2d [4.weight] conv2d relu6 [4] avg_pool2d "
        "[avg_pool2d] reshape [8.weight] dense [8]");
  nn::Sequential global{nn::Conv2D(1, 4), nn::GlobalAvgPool2D(), nn::Dense(4, 3), nn::Softmax()};
  CHECK(placed(global, {1, 8, 8, 1}) ==
        "[0.weight] [input] conv2d [0] mean [mean] [2.weight] dense [2] softmax [softmax]");
}

TEST_CASE("a convolution over sequences is one step with the reshapes around it") {
  nn::Sequential net{nn::Conv1D(3, 4), nn::BatchNorm(4), nn::ReLU(), nn::GlobalAvgPool1D(), nn::Dense(4, 2)};
  CHECK(placed(net, {1, 9, 3}) ==
        "reshape reshape [0.weight] [reshape] conv2d reshape batch_norm relu [0] mean [mean] [4.weight] "
        "dense [4]");
}

TEST_CASE("add and concat have a range of their own, and a relu behind an add is part of it") {
  nn::Sequential residual{nn::Conv2D(2, 4), nn::Residual{nn::Conv2D(4, 4, {.padding = nn::same})}, nn::ReLU(),
                          nn::Concat{nn::Conv2D(4, 2), nn::Conv2D(4, 3)}};
  CHECK(placed(residual, {1, 8, 8, 2}) ==
        "[0.weight] [input] conv2d [0] [1.inner.weight] conv2d [1.inner] add relu [add] [3.0.weight] conv2d "
        "[3.0] "
        "[3.1.weight] conv2d [3.1] concat [concat]");
}

TEST_CASE("other activations are steps of their own, sigmoid and tanh with fixed ranges") {
  nn::Sequential net{nn::Dense(4, 4), nn::SiLU(),      nn::Dense(4, 4),
                     nn::Sigmoid(),   nn::Dense(4, 4), nn::Tanh()};
  const compress::Placement placement = compress::place_fake_quant(graph::trace(net, {1, 4}), {});
  CHECK(ops_of(placement.graph) ==
        "[0.weight] [input] dense [0] silu [silu] [2.weight] dense [2] sigmoid [sigmoid] [4.weight] dense "
        "[4] tanh "
        "[tanh]");
  for (const compress::RangePlace& place : placement.ranges) {
    CAPTURE(place.buffer);
    const bool fixed = place.buffer == "sigmoid/range" || place.buffer == "tanh/range";
    REQUIRE(place.fixed.has_value() == fixed);
    if (place.buffer == "sigmoid/range") CHECK(place.fixed->high == 255.0 / 256.0);
    if (place.buffer == "tanh/range") CHECK(place.fixed->low == -1.0);
  }
}

TEST_CASE("a value that others read besides the relu gets its own range") {
  Around net([](nn::Dense& a, nn::Dense& b, const Tensor& x) {
    const Tensor y = a(x);
    return add(b(relu(y)), y);
  });
  CHECK(placed(net, {1, 4}) == "[a.weight] [input] dense [a] relu [relu] [b.weight] dense [b] add [add]");
}

TEST_CASE("constants beside integers get ranges, numbers are left to floats") {
  Around net([](nn::Dense& a, nn::Dense& b, const Tensor& x) {
    return b(2.0 * a(x) * Tensor::from({1, 2, 3, 4}));
  });
  CHECK(placed(net, {1, 4}) == "[a.weight] [input] dense [a] mul mul [b.weight] [mul] dense [b]");
  Around other([](nn::Dense& a, nn::Dense& b, const Tensor& x) {
    return b(a(x) * Tensor::from({1, 2, 3, 4}));
  });
  CHECK(placed(other, {1, 4}) == "[a.weight] [input] dense [a] [constant] mul [mul] [b.weight] dense [b]");
}

TEST_CASE("ops without integers read what was rounded and are rounded where integers go on") {
  nn::Sequential net{nn::Dense(4, 4), nn::LayerNorm(4), nn::ReLU(), nn::Dense(4, 2)};
  CHECK(placed(net, {1, 4}) == "[0.weight] [input] dense [0] layer_norm relu [3.weight] [relu] dense [3]");
}

TEST_CASE("recurrent layers have integers inside and a fixed range behind, unless they are given a state") {
  nn::Sequential net{nn::LSTM(3, 4, {.return_sequences = true}), nn::GRU(4, 5), nn::Dense(5, 2)};
  const std::string all = placed(net, {1, 6, 3});
  CHECK(all ==
        "[0.weight_x] [0.weight_h] [input] lstm [0] [1.weight_x] [1.weight_h] gru [1] [2.weight] dense [2]");
  nn::Sequential both{nn::Bidirectional(nn::LSTM(3, 4), nn::LSTM(3, 4, {.reverse = true}))};
  const compress::Placement placement = compress::place_fake_quant(graph::trace(both, {1, 6, 3}), {});
  int fixed = 0;
  for (const auto& place : placement.ranges) fixed += place.fixed && place.fixed->high == 127.0 / 128.0;
  CHECK(fixed == 3);  // both directions, and both together
}

TEST_CASE("layers named by a pattern stay in float") {
  nn::Sequential net{nn::Dense(4, 4), nn::ReLU(), nn::Dense(4, 4), nn::ReLU(), nn::Dense(4, 2)};
  CHECK(placed(net, {1, 4}, {.keep_float = {"0", "4"}}) ==
        "dense relu [2.weight] [relu] dense relu [2] dense");
  CHECK(placed(net, {1, 4}, {.keep_float = {"*"}}) == "dense relu dense relu dense");
}

TEST_CASE("dynamic ranges stand at inputs of products, weights alone have nothing else") {
  nn::Sequential net{nn::Conv2D(1, 4), nn::ReLU(), nn::Flatten(), nn::Dense(36 * 4, 3)};
  CHECK(placed(net, {1, 8, 8, 1}, {.mode = QuantMode::int8_dynamic}) ==
        "[0.weight] [] conv2d relu reshape [3.weight] [] dense");
  CHECK(placed(net, {1, 8, 8, 1}, {.mode = QuantMode::int8_weights}) ==
        "[0.weight] conv2d relu reshape [3.weight] dense");
  nn::Sequential recurrent{nn::LSTM(3, 4), nn::Dense(4, 2)};
  CHECK(placed(recurrent, {1, 6, 3}, {.mode = QuantMode::int8_dynamic}) ==
        "[0.weight_x] [0.weight_h] lstm [1.weight] [] dense");
}

TEST_CASE("weights have a range a row, or one where rows share values; a weight read twice has one") {
  Around net([](nn::Dense& a, nn::Dense& b, const Tensor& x) { return b(a(a(x))); });
  const compress::Placement placement = compress::place_fake_quant(
      graph::trace(net, {1, 4}),
      {.weight_bits = 4, .one_range = [](const std::string& name) { return name == "b.weight"; }});
  CHECK(ops_of(placement.graph) == "[a.weight] [input] dense [a] dense [a_2] [b.weight] dense [b]");
  for (const graph::Node& node : placement.graph.nodes())
    if (node.op == Op::fake_quant && node.attributes["symmetric"].integer() != 0)
      CHECK(node.attributes["bits"].integer() == 4);
  CHECK(placement.ranges[0].rows == 4);
  for (const auto& place : placement.ranges)
    if (place.parameter == "b.weight") CHECK(place.rows == 1);
}

TEST_CASE("training moves ranges with the momentum given, but not those that are fixed") {
  nn::Sequential net{nn::Dense(4, 4), nn::Sigmoid()};
  const compress::Placement placement =
      compress::place_fake_quant(graph::trace(net, {1, 4}), {.momentum = 0.25, .frozen = false});
  for (const graph::Node& node : placement.graph.nodes()) {
    if (node.op != Op::fake_quant) continue;
    const std::string name = placement.graph.value_name(node.inputs[1]);
    CAPTURE(name);
    CHECK(node.attributes["frozen"].integer() == (name == "sigmoid/range" ? 1 : 0));
    CHECK(node.attributes["momentum"].real() == (name == "0.weight/range" ? 1.0 : 0.25));
  }
}

}  // namespace
}  // namespace linnet
