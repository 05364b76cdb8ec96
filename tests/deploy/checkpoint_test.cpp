// SPDX-License-Identifier: Apache-2.0
// The whole way of a model whose C++ is gone: from the file alone it evaluates, trains on and is exported.
#include <cmath>

#include "board.h"
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

struct Residual : nn::Module {
  nn::Dense in{12, 16}, middle{16, 16}, out{16, 4};
  void members(nn::Members& m) override {
    m.child("in", in);
    m.child("middle", middle);
    m.child("out", out);
  }
  Tensor operator()(const Tensor& x) {
    Tensor h = relu(in(flatten(x)));
    return out(h + dropout(middle(h), 0.3, training()));
  }
};

nn::Sequential small_mlp() {
  return nn::Sequential{nn::Flatten(), nn::Dense(64, 32), nn::ReLU(), nn::Dropout(0.2), nn::Dense(32, 4)};
}

nn::Sequential cnn() {
  return nn::Sequential{nn::Conv2D(1, 8), nn::ReLU(), nn::MaxPool2D(), nn::Flatten(), nn::Dense(72, 4)};
}

template <class M>
void train(M& model, optim::Adam& adam, const Shape& input, int first, int last) {
  for (int step = first; step < last; ++step) {
    Tensor x = test::random_tensor(input, static_cast<std::uint64_t>(100 + step));
    Tensor loss =
        cross_entropy(model(x), test::random_labels({input[0]}, static_cast<std::uint64_t>(step), 4));
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
}

/// Ten steps, a checkpoint, ten more: by the module itself and by what the file gives back.
template <class M>
void check_checkpoint(M& model, const Shape& input) {
  test::TemporaryFolder folder;
  std::string path = folder / "model.ckpt";
  manual_seed(5);
  optim::Adam adam(model.parameters());
  train(model, adam, input, 0, 10);
  io::save(path, {{"model", model.state()},
                  {"optimizer", adam.state()},
                  {"rng", rng_state()},
                  {"graph", graph::trace(model, input).state()}});
  train(model, adam, input, 10, 20);

  State c = io::load(path);
  graph::GraphModule copy = graph::GraphModule::from(c["graph"], c["model"]);
  optim::Adam again(copy.parameters());
  again.load(c["optimizer"]);
  set_rng_state(c["rng"]);
  train(copy, again, input, 10, 20);
  CHECK(copy.state() == model.state());

  model.eval();
  copy.eval();
  for (std::int64_t batch : {1, 7, 128}) {
    Tensor x = test::random_tensor(input.with(0, batch), 3);
    CHECK_SAME_BITS(copy(x), model(x));
  }
}

TEST_CASE("a checkpoint alone continues a run: same bits in training and evaluation") {
  manual_seed(1);
  SUBCASE("mlp") {
    nn::Sequential model = small_mlp();
    check_checkpoint(model, {16, 8, 8, 1});
  }
  SUBCASE("cnn") {
    nn::Sequential model = cnn();
    check_checkpoint(model, {16, 8, 8, 1});
  }
  SUBCASE("a user's struct with a residual add and a dropout") {
    Residual model;
    check_checkpoint(model, {16, 3, 4});
  }
}

TEST_CASE("a model is exported from its checkpoint alone") {
  test::TemporaryFolder folder;
  manual_seed(1);
  nn::Sequential model = small_mlp();
  io::save(folder / "model.ckpt",
           {{"model", model.state()}, {"graph", graph::trace(model, {1, 8, 8, 1}).state()}});
  State c = io::load(folder / "model.ckpt");
  deploy::write(graph::GraphModule::from(c["graph"], c["model"]), folder / "model.linnet",
                {.task = "classification"});

  test::Board board(test::read_bytes(folder / "model.linnet"));
  REQUIRE(board.text() == "no error. Go on.");
  model.eval();
  Tensor x = test::random_tensor({1, 8, 8, 1}, 9), expected = model(x);
  double largest = 0.0;
  for (float value : expected.data<float>())
    largest = std::max(largest, std::fabs(static_cast<double>(value)));
  CHECK_CLOSE(board.run(x), expected, (test::Tolerance{1e-5 * largest, 0.0}));
}

}  // namespace
}  // namespace linnet
