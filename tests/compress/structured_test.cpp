// SPDX-License-Identifier: Apache-2.0
// What the smaller network computes.
#include "linnet/compress/structured.h"

#include <cmath>
#include <optional>

#include "../deploy/random_graph.h"
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/graph/infer.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/adam.h"
#include "shrunk.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet::test {
namespace {

using compress::Scope;
using compress::Shrunk;
using graph::GraphModule;

/// In f64, so that the order of sums does not matter.
void check_equal_to_masked(nn::Layer& model, const Shape& sample,
                           const compress::StructuredOptions& options) {
  model.to(f64);
  model.eval();
  const GraphModule large = graph_of(model, sample.inserted(0, 1), f64);
  Shrunk small = compress::prune_structured(large, options);
  small.model.eval();
  GraphModule zeros = masked(large, small.kept);
  zeros.eval();
  const Tensor x = random_tensor(sample.inserted(0, 1), 5, -1.0, 1.0, f64);
  NoGrad no_grad;
  CHECK_CLOSE(small.model(x), zeros(x), (Tolerance{1e-10, 1e-10}));

  CHECK(small.parameters_before == model.parameter_count());
  CHECK(small.parameters_after == small.model.parameter_count());
  CHECK(small.macs_after == graph::macs(small.model.graph()));
  CHECK(small.macs_after < small.macs_before);
  CHECK(small.parameters_after < small.parameters_before);
  for (const compress::LayerChannels& layer : small.layers) CHECK(layer.after >= options.min_channels);
}

TEST_CASE("the smaller network computes what the large one computes with channels set to 0: the zoo") {
  for (const ZooCase& row : zoo_catalog()) {
    const bool again = row.name.starts_with("MobileNet") && row.sample[0] > 32;
    if (row.full_size || again || row.name.starts_with("LSTM")) continue;
    CAPTURE(row.name);
    manual_seed(3);
    const std::unique_ptr<nn::Layer> model = row.make();
    train_zoo_step(*model, row);  // moves the statistics
    // Small images, since f64 is slow; the networks take any.
    const Shape sample = row.sample.rank() == 3 && row.sample[2] == 3 ? Shape{16, 16, 3} : row.sample;
    check_equal_to_masked(*model, sample, {.sparsity = 0.5});
    check_equal_to_masked(*model, sample, {.sparsity = 0.3, .scope = Scope::global, .min_channels = 2});
  }
}

TEST_CASE("the smaller network computes what the large one computes with channels set to 0: layers") {
  const auto check = [](nn::Sequential model, const Shape& sample) {
    CAPTURE(model.str());
    for (const NamedTensor& named : model.parameters())  // biases too
      Tensor(named.second).copy_(random_tensor(named.second.shape(), 7, -0.5, 0.5));
    check_equal_to_masked(model, sample, {.sparsity = 0.5});
  };
  check(nn::Sequential{nn::Dense(5, 8), nn::ReLU(), nn::Dense(8, 6), nn::Tanh(), nn::Dense(6, 3)}, {5});
  check(nn::Sequential{nn::Conv2D(2, 6, {.padding = nn::same}), nn::PReLU(6), nn::MaxPool2D(), nn::Flatten(),
                       nn::Dense(54, 7), nn::ReLU(), nn::Dense(7, 3), nn::Softmax()},
        {6, 6, 2});
  check(nn::Sequential{nn::Conv2D(2, 8), nn::ReLU(), nn::SqueezeExcite(8), nn::UpSample2D(), nn::Conv2D(8, 4),
                       nn::GlobalAvgPool2D()},
        {5, 5, 2});
  check(nn::Sequential{nn::Conv2D(1, 4), nn::ReLU(),
                       nn::Concat{nn::Conv2D(4, 3, {.kernel = 1}), nn::Conv2D(4, 5, {.padding = nn::same}),
                                  nn::Sequential{}},
                       nn::DepthwiseConv2D(12), nn::BatchNorm(12), nn::ReLU6(), nn::Flatten(),
                       nn::Dense(48, 2)},
        {6, 6, 1});
  check(nn::Sequential{nn::Conv2D(3, 8),
                       nn::Residual{nn::Sequential{nn::Conv2D(8, 8, {.padding = nn::same}), nn::BatchNorm(8),
                                                   nn::ReLU()}},
                       nn::Conv2D(8, 12, {.groups = 4}), nn::ReLU(), nn::ConvTranspose2D(12, 6), nn::ReLU(),
                       nn::Conv2D(6, 2)},
        {7, 7, 3});
  check(nn::Sequential{nn::Dense(3, 8), nn::ReLU(), nn::LSTM(8, 5, {.return_sequences = true}),
                       nn::Dense(5, 4), nn::ReLU(), nn::GRU(4, 3), nn::Dense(3, 2)},
        {6, 3});
}

TEST_CASE("a net of its own ops: slices, borders, constants with a number a channel, a transposed map") {
  struct Net : nn::Module {
    nn::Conv2D first{1, 8, {.padding = nn::same}}, second{4, 6, {.padding = nn::same}}, third{4, 4};
    nn::Dense last{48, 3};
    Tensor scale = random_tensor({8}, 3, 0.5, 1.5, f64);

    void members(nn::Members& m) override {
      m.child("first", first);
      m.child("second", second);
      m.child("third", third);
      m.child("last", last);
    }
    Tensor operator()(const Tensor& x) {
      const Tensor h = relu(first(x)) * scale;     // [N, 6, 6, 8]
      const Tensor a = second(slice(h, 3, 2, 6));  // of channels 2 to 5: [N, 6, 6, 6]
      const Tensor b = pad(slice(h, 3, 0, 2), {{0, 0}, {0, 0}, {0, 0}, {1, 3}});
      const Tensor c = relu(third(slice(h, 3, 4, 8)));  // [N, 4, 4, 4]
      const Tensor rows = transpose(max_pool2d(a + b, {.kernel = 3, .stride = 3}), {0, 3, 1, 2});
      const Tensor more = transpose(max_pool2d(c, {.kernel = 2, .stride = 2}), {0, 3, 1, 2});
      return last(concat({rows.reshape({-1, 24}), more.reshape({-1, 16}), max(h, {1, 2})}, 1));
    }
  } net;
  net.to(f64);
  const GraphModule large = graph_of(net, {1, 6, 6, 1}, f64);
  const Shrunk small = compress::prune_structured(large, {.sparsity = 0.5});
  REQUIRE(small.layers.size() == 2);
  CHECK(small.layers[0].name == "first.weight + second.weight");  // joined by the border
  GraphModule model(small.model.graph(), small.model.state()), zeros = unread(large, small.kept);
  const Tensor x = random_tensor({3, 6, 6, 1}, 5, -1.0, 1.0, f64);
  CHECK_CLOSE(model(x), zeros(x), (Tolerance{1e-12, 1e-12}));
  bool shrank = false;
  for (const graph::Value& value : model.graph().values())
    shrank = shrank || (value.kind == graph::Kind::constant && value.sizes == graph::Sizes{4});
  CHECK(shrank);
}

/// The graph with its constants as parameters, but for what is not trained.
GraphModule with_parameters(const graph::Graph& graph) {
  std::vector<graph::Value> values = graph.values();
  std::vector<bool> moved(values.size(), false);
  for (const graph::Node& node : graph.nodes())
    if (node.op == Op::batch_norm) moved[node.inputs[1]] = moved[node.inputs[2]] = true;
  State state;
  for (std::size_t i = 0; i < values.size(); ++i) {
    graph::Value& value = values[i];
    if (value.kind != graph::Kind::constant) continue;
    value.kind = moved[i] || !is_float(value.dtype) ? graph::Kind::buffer : graph::Kind::parameter;
    value.name = "c" + std::to_string(i);
    state.set(value.name, value.contents);
    value.contents = Tensor();
  }
  return GraphModule(graph::Graph(std::move(values), graph.nodes(), graph.output()), state);
}

TEST_CASE("200 random graphs of every op: what stays computes what it did when nobody reads what goes") {
  struct AsModule : nn::Module {
    explicit AsModule(const RandomGraph& g) : graph(g) {}
    Tensor operator()(const Tensor& x) {
      const Tensor ends = graph.run(x);  // which a head reads, so that they may shrink
      if (!head.defined()) head = random_tensor({3, ends.dim(1)}, graph.seed);
      return dense(ends, head);
    }
    const RandomGraph& graph;
    Tensor head;
  };
  NoGrad no_grad;
  int shrank = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const RandomGraph random = random_graph(seed);
    AsModule model(random);
    model(random_tensor(random.input, 1));
    GraphModule large = with_parameters(graph::trace(model, random.input));
    large.eval();
    std::optional<Shrunk> small;
    try {
      small.emplace(compress::prune_structured(large, {.sparsity = 0.5}));
    } catch (const ValueError&) {  // nothing may go
      continue;
    }
    if (small->parameters_after == small->parameters_before) continue;
    ++shrank;
    GraphModule reference = unread(large, small->kept);
    reference.eval();
    const Tensor x = random_tensor(random.input, seed + 1000);
    const Tensor y = small->model(x), expected = reference(x);
    REQUIRE(y.shape() == expected.shape());
    const double error = sum(square(y - expected)).item(), scale = sum(square(expected)).item();
    CHECK_MESSAGE(error <= 1e-10 * scale, "seed ", seed, ": ", error, " of ", scale, "\n", random.str());
  }
  CHECK(shrank >= 40);
}

TEST_CASE("fine-tuning goes on with Adam's moments, as the large network would with those channels at 0") {
  manual_seed(1);
  nn::Sequential net{nn::Dense(4, 8), nn::ReLU(), nn::Dense(8, 3)};
  net.to(f64);
  GraphModule large = graph_of(net, {1, 4}, f64);
  const Tensor x = random_tensor({16, 4}, 1, -1.0, 1.0, f64), y = random_labels({16}, 2, 3);
  const auto train = [&](GraphModule& model, optim::Optimizer& optimizer) {
    for (int step = 0; step < 5; ++step) {
      optimizer.zero_grad();
      backward(cross_entropy(model(x), y));
      optimizer.step();
    }
  };
  optim::Adam adam(large.parameters(), {.lr = 0.01});
  train(large, adam);

  Shrunk small = compress::prune_structured(large, {.sparsity = 0.5});
  optim::Adam shrunk_adam(small.model.parameters(), {.lr = 0.01});
  shrunk_adam.load(compress::shrink_state(adam.state(), small.kept));
  CHECK(shrunk_adam.steps() == 5);
  // A unit at 0 behind relu has no gradient, and without moments it stays there.
  GraphModule zeros = masked(large, small.kept);
  State moments;
  for (const auto& [name, value] : adam.state()) {
    const auto found = small.kept.find(name.substr(0, name.rfind('/')));
    Tensor cut = value.is_tensor() ? value.tensor() : Tensor();
    if (cut.defined() && found != small.kept.end())
      for (int axis = 0; axis < cut.rank(); ++axis) cut = zeroed(cut, found->second, axis);
    moments.set(name, value.is_tensor() ? StateValue(cut) : value);
  }
  optim::Adam masked_adam(zeros.parameters(), {.lr = 0.01});
  masked_adam.load(moments);
  train(small.model, shrunk_adam);
  train(zeros, masked_adam);
  for (const auto& entry : compress::shrink_state(zeros.state(), small.kept)) {
    CAPTURE(entry.first);
    CHECK_CLOSE(small.model.state()[entry.first].tensor(), entry.second.tensor(), tol::trajectory64);
  }
}

TEST_CASE("the smaller graph and its numbers do not depend on threads, and come back from a state") {
  manual_seed(2);
  nn::Sequential net = nn::zoo::resnet8();
  const GraphModule large = graph_of(net, {1, 32, 32, 3});
  std::vector<Shrunk> results;
  for (const int threads : {1, 4}) {
    ThreadScope scope(threads);
    results.push_back(compress::prune_structured(large, {.sparsity = 0.4, .scope = Scope::global}));
  }
  CHECK(results[0].model.graph().hash() == results[1].model.graph().hash());
  CHECK(results[0].model.state() == results[1].model.state());
  GraphModule again = GraphModule::from(results[0].model.graph().state(), results[0].model.state());
  const Tensor x = random_tensor({1, 32, 32, 3}, 1);
  CHECK_SAME_BITS(again(x).detach(), results[1].model(x).detach());
}

}  // namespace
}  // namespace linnet::test
