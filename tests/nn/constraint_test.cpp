// SPDX-License-Identifier: Apache-2.0
// Masks and shared values of parameters: what they do in training, and that they are saved.
#include "linnet/core/constraint.h"

#include <set>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

nn::Sequential small_net() {
  manual_seed(4);
  return nn::Sequential{nn::Dense(6, 8), nn::ReLU(), nn::Dense(8, 3)};
}

Tensor weight(const nn::Module& net) { return net.parameters()[0].second; }

void train(nn::Sequential& net, optim::Optimizer& optimizer, int steps) {
  const Tensor x = test::random_tensor({16, 6}, 1), y = test::random_labels({16}, 2, 3);
  for (int i = 0; i < steps; ++i) {
    const Tensor loss = cross_entropy(net(x), y);
    optimizer.zero_grad();
    backward(loss);
    optimizer.step();
  }
}

int distinct(const Tensor& t) {
  const auto values = t.data<float>();
  return static_cast<int>(std::set<float>(values.begin(), values.end()).size());
}

}  // namespace

TEST_CASE(
    "masked weights stay zero and grouped ones equal while every other weight trains, whatever the optimizer "
    "remembers") {
  nn::Sequential net = small_net();
  optim::Adam adam(net.parameters(), {.lr = 0.01, .weight_decay = 0.01});
  train(net, adam, 3);  // moments of all weights
  const Tensor mask = test::random_labels({8, 6}, 3, 2, u8), groups = test::random_labels({8, 6}, 4, 5, u8);
  set_constraint(weight(net), {.mask = mask, .groups = groups});
  const Tensor before = weight(net).clone();
  train(net, adam, 20);
  CHECK(distinct(weight(net)) <= 6);
  bool moved = false;
  for (std::size_t i = 0; i < 48; ++i) {
    CHECK((mask.data<std::uint8_t>()[i] == 0) == (weight(net).data<float>()[i] == 0.0f));
    moved = moved || weight(net).data<float>()[i] != before.data<float>()[i];
  }
  CHECK(moved);
}

TEST_CASE("shared weights train as one parameter that is used in many places") {
  // w[i] = centre[group[i]]; plain SGD on the centre moves it by the sum of the gradients
  Tensor w = Tensor::from({1, 1, 2, 2, 2, 1}, {2, 3}).set_requires_grad(true);
  set_constraint(w, {.groups = Tensor::from({0, 0, 1, 1, 1, 0}, {2, 3}, u8)});
  Tensor centres = Tensor::from({1, 2}).set_requires_grad(true);
  const Tensor x = test::random_tensor({4, 3}, 1);
  const Tensor a = slice(centres, 0, 0, 1), b = slice(centres, 0, 1, 2);
  optim::SGD tied({{"w", w}}, {.lr = 0.1}), free({{"c", centres}}, {.lr = 0.1});
  backward(sum(square(dense(x, w, {}))));
  backward(sum(square(dense(x, reshape(concat({a, a, b, b, b, a}, 0), {2, 3}), {}))));
  tied.step();
  free.step();
  CHECK(w.data<float>()[0] == doctest::Approx(centres.data<float>()[0]));
  CHECK(w.data<float>()[2] == doctest::Approx(centres.data<float>()[1]));
}

TEST_CASE("constraints are part of a module's state, and a state without them takes them away") {
  nn::Sequential net = small_net();
  const State plain = net.state();
  State kept;
  for (const auto& [name, value] : plain) kept.set(name, value.tensor().clone());
  set_constraint(weight(net),
                 {.mask = test::random_labels({8, 6}, 3, 2, u8), .groups = Tensor::zeros({8, 6}, u8)});
  const State state = net.state();
  CHECK(state.size() == plain.size() + 2);

  nn::Sequential other = small_net();
  other.load(state);
  REQUIRE(constraint(weight(other)) != nullptr);
  CHECK(other.state() == state);
  other.load(kept);
  CHECK(constraint(weight(other)) == nullptr);
  CHECK(other.state() == kept);
}

TEST_CASE("a constraint in a state that does not fit is refused and changes nothing") {
  nn::Sequential net = small_net();
  State before;
  for (const auto& [name, value] : net.state()) before.set(name, value.tensor().clone());
  State bad, stray;
  for (const auto& [name, value] : net.state()) {
    bad.set(name, Tensor::zeros(value.tensor().shape()));
    stray.set(name, value);
  }
  bad.set("0.weight/mask", Tensor::ones({6, 8}, u8));
  stray.set("1.weight/mask", Tensor::ones({6, 8}, u8));
  CHECK_THROWS_TEXT(net.load(bad), StateError, "load: 0.weight/mask: expected u8 [8, 6], got u8 [6, 8].");
  CHECK_THROWS_AS(net.load(stray), StateError);
  CHECK(net.state() == before);
}

TEST_CASE("an average of weights keeps to a constraint that is younger than it") {
  nn::Sequential net = small_net();
  optim::Adam adam(net.parameters(), {.lr = 0.01});
  optim::EMA ema(net.parameters(), {.decay = 0.9});
  train(net, adam, 2);
  ema.update();
  const Tensor mask = test::random_labels({8, 6}, 3, 2, u8);
  set_constraint(weight(net), {.mask = mask});
  const auto zeros_fit = [&] {
    bool fit = true;
    for (std::size_t i = 0; i < 48; ++i)
      fit = fit && (mask.data<std::uint8_t>()[i] != 0 || weight(net).data<float>()[i] == 0.0f);
    return fit;
  };
  ema.swap();
  CHECK(zeros_fit());
  ema.swap();
  train(net, adam, 1);
  ema.update();
  ema.swap();
  CHECK(zeros_fit());
}
