// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/new_head.h"

#include <algorithm>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/random.h"
#include "linnet/graph/trace.h"
#include "linnet/optim/adam.h"
#include "models.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/zoo_catalog.h"

namespace linnet::test {
namespace {

template <class M>
graph::GraphModule graph_of(M& model, const Shape& input) {
  return graph::GraphModule(graph::trace(model, input), model.state());
}

TEST_CASE("a new head has the wanted number of outputs and fresh weights; everything else is a copy") {
  manual_seed(1);
  nn::Sequential cnn = cnn_recipe();
  const graph::GraphModule old = graph_of(cnn, {1, 28, 28, 1});
  manual_seed(2);
  graph::GraphModule fresh = graph::with_new_head(old, 5);
  manual_seed(2);
  const nn::Dense head(64, 5);

  CHECK(graph::head_parameters(old.graph()) == std::vector<std::string>{"9.weight", "9.bias"});
  CHECK(graph::outputs_of(old.graph()) == 10);
  CHECK(graph::outputs_of(fresh.graph()) == 5);
  CHECK(fresh(random_tensor({3, 28, 28, 1}, 1)).shape() == Shape{3, 5});
  for (const auto& entry : fresh.state()) {
    const auto& name = entry.first;
    const auto& value = entry.second;
    CAPTURE(name);
    if (!name.starts_with("9.")) CHECK(value == old.state()[name]);
  }
  CHECK_SAME_BITS(fresh.state()["9.weight"].tensor(), head.weight.detach());
  CHECK_SAME_BITS(fresh.state()["9.bias"].tensor(), head.bias.detach());

  for (const auto& [name, parameter] : fresh.parameters()) Tensor(parameter).fill_(0.0);
  CHECK(old.state()["0.weight"] == cnn.state()["0.weight"]);  // copied, not shared
}

TEST_CASE("every zoo model takes a new head, and one of the old size") {
  for (const ZooCase& row : zoo_catalog()) {
    if (row.full_size) continue;
    CAPTURE(row.name);
    const std::unique_ptr<nn::Layer> model = row.make();
    const graph::GraphModule old = graph_of(*model, row.sample.inserted(0, 1));
    const std::int64_t outputs = graph::outputs_of(old.graph());
    graph::GraphModule more = graph::with_new_head(old, outputs + 3);
    CHECK(more(zoo_input(row, 2, 1)).shape() == Shape{2, outputs + 3});
    CHECK(graph::with_new_head(old, outputs).graph().hash() == old.graph().hash());
  }
}

TEST_CASE("a convolution may be the head, and something may follow it") {
  nn::Sequential model{nn::Conv2D(2, 4), nn::ReLU(), nn::Conv2D(4, 3, {.kernel = 1, .bias = false}),
                       nn::GlobalAvgPool2D(), nn::Softmax()};
  graph::GraphModule fresh = graph::with_new_head(graph_of(model, {1, 6, 6, 2}), 7);
  const Tensor y = fresh(random_tensor({2, 6, 6, 2}, 1));
  CHECK(y.shape() == Shape{2, 7});
  CHECK_CLOSE(sum(y, -1), Tensor::full({2}, 1.0), tol::f32);
}

TEST_CASE("with all but a new head frozen, backward runs the rules of the head and nothing else changes") {
  manual_seed(1);
  nn::Sequential net = nn::zoo::resnet8();  // with batch-norm, whose statistics have to stay too
  graph::GraphModule model = graph::with_new_head(graph_of(net, {1, 32, 32, 3}), 4);
  const Tensor x = random_tensor({6, 32, 32, 3}, 1), y = random_labels({6}, 2, 4);
  const auto train = [&] { backward(cross_entropy(model(x), y)); };
  CHECK(gradient_rules_run(train) > 20);
  model.zero_grad();
  model.freeze();
  for (const std::string& name : graph::head_parameters(model.graph())) model.unfreeze(name);
  CHECK(gradient_rules_run(train) == 2);  // cross_entropy and dense

  State before;
  for (const auto& [name, value] : model.state()) before.set(name, value.tensor().clone());
  optim::Adam adam(model.parameters(), {.lr = 0.01});
  double first = 0.0, last = 0.0;
  for (int step = 0; step < 30; ++step) {
    const Tensor loss = cross_entropy(model(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    last = loss.item();
    if (step == 0) first = last;
  }
  CHECK(last < first / 2);
  const std::vector<std::string> head = graph::head_parameters(model.graph());
  for (const auto& entry : model.state()) {
    const auto& name = entry.first;
    const auto& value = entry.second;
    CAPTURE(name);
    CHECK((value == before[name]) == (std::find(head.begin(), head.end(), name) == head.end()));
  }
}

TEST_CASE("networks whose last layer cannot be replaced are refused") {
  nn::Sequential bare{nn::ReLU()}, recurrent{nn::LSTM(3, 4)}, grouped{nn::Conv2D(4, 4, {.groups = 2})};
  nn::Sequential fixed{nn::Dense(3, 4), nn::BatchNorm(4, {.affine = false})};
  CHECK_THROWS_TEXT(graph::with_new_head(graph_of(bare, {1, 3}), 2), GraphError,
                    "new head: no op of the network reads parameters.");
  CHECK_THROWS_TEXT(
      graph::with_new_head(graph_of(recurrent, {1, 5, 3}), 2), GraphError,
      "new head: the last layer with parameters, 0 (lstm), cannot be replaced. Only a Dense or a "
      "convolution can.");
  CHECK_THROWS_TEXT(
      graph::with_new_head(graph_of(grouped, {1, 5, 5, 4}), 2), GraphError,
      "new head: the last layer with parameters, 0 (conv2d), cannot be replaced. Only a Dense or "
      "a convolution can.");
  const graph::GraphModule scaled = graph_of(fixed, {1, 3});
  CHECK(graph::outputs_of(graph::with_new_head(scaled, 4).graph()) == 4);
  CHECK_THROWS_AS(graph::with_new_head(scaled, 5), GraphError);
  CHECK_THROWS_TEXT(graph::with_new_head(scaled, 0), ValueError,
                    "new head: outputs must be at least 1, got 0.");

  struct Tied : nn::Module {
    nn::Dense layer{4, 4};
    void members(nn::Members& m) override { m.child("layer", layer); }
    Tensor operator()(const Tensor& x) { return layer(relu(layer(x))); }
  } tied;
  CHECK_THROWS_TEXT(graph::with_new_head(graph_of(tied, {1, 4}), 4), GraphError,
                    "new head: layer.weight is also read by another op.");
}

}  // namespace
}  // namespace linnet::test
