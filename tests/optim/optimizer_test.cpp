// SPDX-License-Identifier: Apache-2.0
// What every optimizer promises: it trains, resumes with the same bits, and refuses what does not fit.
#include "linnet/optim/optimizer.h"

#include <functional>
#include <limits>
#include <memory>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

using OptimizerPtr = std::unique_ptr<optim::Optimizer>;

struct Kind {
  const char* name;
  std::function<OptimizerPtr(const NamedTensors&)> make;
};

const std::vector<Kind>& kinds() {
  using namespace optim;
  static const std::vector<Kind> all{
      {"SGD", [](const NamedTensors& p) { return std::make_unique<SGD>(p, SgdOptions{.lr = 1.0}); }},
      {"SGD with momentum",
       [](const NamedTensors& p) {
         return std::make_unique<SGD>(p, SgdOptions{.lr = 0.2, .momentum = 0.9});
       }},
      {"SGD with Nesterov momentum and weight decay",
       [](const NamedTensors& p) {
         return std::make_unique<SGD>(
             p, SgdOptions{.lr = 0.2, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true});
       }},
      {"Adam", [](const NamedTensors& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 0.05}); }},
      {"Adam with weight decay",
       [](const NamedTensors& p) {
         return std::make_unique<Adam>(p, AdamOptions{.lr = 0.05, .weight_decay = 1e-4});
       }},
      {"AMSGrad",
       [](const NamedTensors& p) {
         return std::make_unique<Adam>(p, AdamOptions{.lr = 0.05, .amsgrad = true});
       }},
      {"AdamW",
       [](const NamedTensors& p) {
         return std::make_unique<AdamW>(p, AdamWOptions{.lr = 0.05, .weight_decay = 1e-3});
       }},
      {"NAdam", [](const NamedTensors& p) { return std::make_unique<NAdam>(p, NAdamOptions{.lr = 0.05}); }},
      {"RMSprop",
       [](const NamedTensors& p) { return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = 0.01}); }},
      {"RMSprop, centered, with momentum",
       [](const NamedTensors& p) {
         return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = 0.002, .momentum = 0.8, .centered = true});
       }},
      {"Adagrad",
       [](const NamedTensors& p) {
         return std::make_unique<Adagrad>(p, AdagradOptions{.lr = 0.3, .initial = 0.01});
       }},
      {"Lion",
       [](const NamedTensors& p) {
         return std::make_unique<Lion>(p, LionOptions{.lr = 0.01, .weight_decay = 0.01});
       }},
  };
  return all;
}

/// Exclusive or, with its truth table for data.
struct Xor {
  nn::Sequential net{nn::Dense(2, 8), nn::Tanh(), nn::Dense(8, 1)};
  Tensor x = Tensor::from({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  Tensor y = Tensor::from({0, 1, 1, 0}, {4, 1});

  double train(optim::Optimizer& optimizer, int steps) {
    double value = 0.0;
    for (int i = 0; i < steps; ++i) {
      const Tensor loss = bce_with_logits(net(x), y);
      optimizer.zero_grad();
      backward(loss);
      optimizer.step();
      value = loss.item();
    }
    return value;
  }
};

void check_same_state(const State& a, const State& b) {
  REQUIRE(a.size() == b.size());
  for (const State::Entry& entry : a) {
    CAPTURE(entry.first);
    CHECK(entry.second == b[entry.first]);
  }
}

TEST_CASE("every optimizer solves exclusive or, from any of three seeds") {
  for (const Kind& kind : kinds())
    for (const std::uint64_t seed : {1, 2, 3}) {
      CAPTURE(kind.name);
      CAPTURE(seed);
      manual_seed(seed);
      Xor task;
      const OptimizerPtr optimizer = kind.make(task.net.parameters());
      CHECK(task.train(*optimizer, 500) < 0.05);
      CHECK(optimizer->steps() == 500);
    }
}

TEST_CASE("a run that is saved and loaded half way ends with the same bits") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    manual_seed(5);
    Xor whole, first, second;
    first.net.load(whole.net.state());
    const OptimizerPtr straight = kind.make(whole.net.parameters());
    whole.train(*straight, 24);

    const OptimizerPtr before = kind.make(first.net.parameters());
    first.train(*before, 11);
    const OptimizerPtr after = kind.make(second.net.parameters());
    second.net.load(first.net.state());
    after->load(before->state());
    first.train(*before, 3);  // the copy must not notice
    second.train(*after, 13);

    check_same_state(whole.net.state(), second.net.state());
    check_same_state(straight->state(), after->state());
  }
}

TEST_CASE("the state holds the learning rate, and a learning rate of zero changes no weight") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Xor task, other;
    const OptimizerPtr optimizer = kind.make(task.net.parameters());
    task.train(*optimizer, 2);
    optimizer->set_lr(0.0);
    const Tensor before = task.net.parameters()[0].second.clone();
    task.train(*optimizer, 3);
    CHECK_SAME_BITS(task.net.parameters()[0].second, before);

    const OptimizerPtr resumed = kind.make(other.net.parameters());
    resumed->load(optimizer->state());
    CHECK(resumed->lr() == 0.0);
    CHECK(resumed->steps() == 5);
  }
}

TEST_CASE("step reads gradients and does not alter them") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Tensor w = random_tensor({17}, 1).set_requires_grad(true);
    w.set_grad(random_tensor({17}, 2));
    kind.make({{"w", w}})->step();
    CHECK_SAME_BITS(w.grad(), random_tensor({17}, 2));
    CHECK_FALSE(bit_difference(w, random_tensor({17}, 1)).empty());
  }
}

TEST_CASE("many small parameters and a large one get the same bits from any number of threads") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    const auto trained = [&](int threads) {
      const ThreadScope scope(threads);
      NamedTensors parameters;
      for (int i = 0; i < 60; ++i) {
        const auto seed = static_cast<std::uint64_t>(i);
        const Shape shape{i == 30 ? 20'000 : 100 + 37 * i};
        parameters.emplace_back("w" + std::to_string(i), random_tensor(shape, seed).set_requires_grad(true));
        if (i % 7 != 0) parameters.back().second.set_grad(random_tensor(shape, 100 + seed));
      }
      const OptimizerPtr optimizer = kind.make(parameters);
      for (int step = 0; step < 3; ++step) optimizer->step();
      CHECK(optimizer->state()["w1/steps"].integer() == 3);
      CHECK(optimizer->state()["w7/steps"].integer() == 0);
      return parameters;
    };
    const NamedTensors alone = trained(1), shared = trained(4);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK_SAME_BITS(alone[i].second, shared[i].second);
  }
}

TEST_CASE("zero_grad drops gradients, and parameters without one are skipped") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Tensor w = random_tensor({3}, 1).set_requires_grad(true), frozen = random_tensor({3}, 2);
    const OptimizerPtr optimizer = kind.make({{"w", w}, {"frozen", frozen}});
    w.set_grad(Tensor::ones({3}));
    optimizer->step();
    CHECK_SAME_BITS(frozen, random_tensor({3}, 2));
    CHECK(optimizer->state()["w/steps"].integer() == 1);
    CHECK(optimizer->state()["frozen/steps"].integer() == 0);
    optimizer->zero_grad();
    CHECK_FALSE(w.grad().defined());
    const Tensor before = w.clone();
    optimizer->step();
    CHECK_SAME_BITS(w, before);
  }
}

TEST_CASE("Adam's first step has the size of the learning rate, also for a layer that is unfrozen later") {
  Tensor a = Tensor::zeros({2}), b = Tensor::zeros({2});
  optim::Adam adam({{"a", a}, {"b", b}}, {.lr = 0.5});
  for (int step = 0; step < 100; ++step) {
    a.set_grad(Tensor::from({3.0, -0.25}));
    adam.step();
  }
  b.set_grad(Tensor::from({3.0, -0.25}));
  adam.step();
  CHECK_CLOSE(b, Tensor::from({-0.5, 0.5}), tol::f32);
}

TEST_CASE("backward notices a weight that was updated while the tape needed it") {
  Tensor w = random_tensor({4, 3}, 1).set_requires_grad(true),
         x = random_tensor({2, 3}, 2).set_requires_grad(true);
  optim::SGD sgd({{"w", w}});
  const Tensor loss = sum(dense(x, w));
  w.set_grad(Tensor::ones({4, 3}));
  sgd.step();
  CHECK_THROWS_AS(backward(loss), AutogradError);
}

TEST_CASE("an optimizer trains the tensors of the module, whatever else holds them") {
  nn::Dense layer(3, 2);
  const Tensor handle = layer.weight;
  optim::SGD sgd(layer.parameters(), {.lr = 1.0});
  layer.weight.set_grad(Tensor::ones({2, 3}));
  const Tensor expected = layer.weight.clone().add_(Tensor::ones({2, 3}), -1.0);
  sgd.step();
  CHECK_SAME_BITS(handle, expected);
}

TEST_CASE("options outside their range are refused") {
  Tensor w = Tensor::zeros({2});
  const NamedTensors p{{"w", w}};
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  using optim::Adam, optim::SGD;
  CHECK_THROWS_TEXT(SGD(p, {.lr = -0.5}), ValueError, "SGD: lr must be in [0, inf), got -0.5.");
  CHECK_THROWS_TEXT(SGD(p, {.lr = nan}), ValueError, "SGD: lr must be in [0, inf), got nan.");
  CHECK_THROWS_TEXT(SGD(p, {.lr = inf}), ValueError, "SGD: lr must be in [0, inf), got inf.");
  CHECK_THROWS_TEXT(SGD(p, {.momentum = 1.0}), ValueError, "SGD: momentum must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(SGD(p, {.momentum = nan}), ValueError, "SGD: momentum must be in [0, 1), got nan.");
  CHECK_THROWS_TEXT(SGD(p, {.dampening = -1.0}), ValueError, "SGD: dampening must be in [0, 1), got -1.");
  CHECK_THROWS_TEXT(SGD(p, {.weight_decay = -1e-4}), ValueError,
                    "SGD: weight_decay must be in [0, inf), got -0.0001.");
  CHECK_THROWS_TEXT(SGD(p, {.nesterov = true}), ValueError,
                    "SGD: nesterov needs momentum above 0 and dampening 0, got 0 and 0.");
  CHECK_THROWS_TEXT(SGD(p, {.momentum = 0.9, .dampening = 0.5, .nesterov = true}), ValueError,
                    "SGD: nesterov needs momentum above 0 and dampening 0, got 0.9 and 0.5.");
  CHECK_THROWS_TEXT(Adam(p, {.lr = nan}), ValueError, "Adam: lr must be in [0, inf), got nan.");
  CHECK_THROWS_TEXT(Adam(p, {.beta1 = 1.0}), ValueError, "Adam: beta1 must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(Adam(p, {.beta2 = -0.1}), ValueError, "Adam: beta2 must be in [0, 1), got -0.1.");
  CHECK_THROWS_TEXT(Adam(p, {.eps = 0.0}), ValueError,
                    "Adam: eps must be above 0, got 0. It keeps a zero gradient from dividing by zero.");
  CHECK_THROWS_TEXT(Adam(p, {.weight_decay = inf}), ValueError,
                    "Adam: weight_decay must be in [0, inf), got inf.");
  Adam adam(p);
  CHECK_THROWS_TEXT(adam.set_lr(nan), ValueError, "Adam: lr must be in [0, inf), got nan.");
  CHECK(adam.lr() == 1e-3);
}

TEST_CASE("parameters that cannot be trained are refused") {
  Tensor w = Tensor::zeros({2}), v = Tensor::zeros({2});
  using optim::SGD;
  CHECK_THROWS_TEXT(SGD(NamedTensors{}), ValueError,
                    "SGD: there are no parameters to train. Pass model.parameters().");
  CHECK_THROWS_TEXT(SGD({{"w", w}, {"w", v}}), ValueError,
                    "SGD: two parameters have one name: \"w\". Names keep their state apart.");
  CHECK_THROWS_TEXT(
      SGD({{"w", w}, {"v", w}}), ValueError,
      "SGD: parameter \"v\" is given twice, under two names. It would be updated twice a step.");
  CHECK_THROWS_TEXT(SGD({{"w", Tensor()}}), ValueError, "SGD: parameter \"w\" is undefined.");
  CHECK_THROWS_TEXT(SGD({{"labels", Tensor::zeros({2}, i64)}}), DTypeError,
                    "SGD: parameter \"labels\" must be f32 or f64, got i64.");
}

TEST_CASE("a parameter that changed its shape needs a new optimizer, and no other parameter moves") {
  Tensor first = Tensor::ones({2}), w = Tensor::ones({4});
  optim::Adam adam({{"first", first}, {"w", w}});
  const auto step = [&] {
    for (Tensor t : {first, w}) t.set_grad(Tensor::ones(t.shape(), t.dtype()));
    adam.step();
  };
  step();
  const Tensor before = first.clone();
  w.set_contents(Tensor::ones({3}));
  CHECK_THROWS_TEXT(
      step(), ShapeError,
      "Adam: \"w\" has changed since its last update: it was f32 [4], now it is f32 [3]. Make a "
      "new optimizer after changing a model.");
  w.set_contents(Tensor::ones({4}, f64));
  CHECK_THROWS_TEXT(
      step(), ShapeError,
      "Adam: \"w\" has changed since its last update: it was f32 [4], now it is f64 [4]. Make a "
      "new optimizer after changing a model.");
  CHECK_SAME_BITS(first, before);
  CHECK(adam.steps() == 1);
  CHECK(adam.state()["first/steps"].integer() == 1);
}

TEST_CASE("a state that does not fit is refused with the whole difference and changes nothing") {
  Tensor w = Tensor::ones({2}), v = Tensor::ones({3});
  optim::SGD sgd({{"w", w}, {"v", v}}, {.momentum = 0.5});
  w.set_grad(Tensor::ones({2}));
  v.set_grad(Tensor::ones({3}));
  sgd.step();
  Tensor m = Tensor::from({7, 8});
  const State before = sgd.state();
  const Tensor momentum = before["w/momentum"].tensor().clone();

  optim::Adam adam({{"w", w}, {"v", v}});
  CHECK_THROWS_TEXT(sgd.load(adam.state()), StateError,
                    "SGD: cannot load the state of Adam. Make the optimizer that the state was saved from.");
  CHECK_THROWS_TEXT(
      sgd.load({{"optimizer", "SGD"},
                {"lr", 1.0},
                {"steps", 3},
                {"w/steps", 3},
                {"w/momentum", m},
                {"v/steps", 1},
                {"v/momentum", m},
                {"u/steps", 1}}),
      StateError,
      "SGD: the state does not fit these parameters:\n  v/momentum: expected f32 [3], got f32 [2]\n"
      "  u/steps: unexpected");
  CHECK_THROWS_TEXT(
      sgd.load({{"optimizer", "SGD"}, {"lr", 1}, {"steps", -1}, {"w/steps", 1}, {"w/momentum", 1.0}}),
      StateError,
      "SGD: the state does not fit these parameters:\n  lr: expected real, got integer\n"
      "  steps: expected at least 0, got -1\n  w/momentum: expected tensor, got real\n  v/steps: missing");
  CHECK_THROWS_TEXT(
      sgd.load({{"optimizer", "SGD"}, {"lr", -1.0}, {"steps", 0}, {"w/steps", 0}, {"v/steps", 0}}),
      ValueError, "SGD: lr must be in [0, inf), got -1.");
  CHECK_THROWS_AS(sgd.load({}), StateError);
  check_same_state(sgd.state(), before);
  CHECK_SAME_BITS(sgd.state()["w/momentum"].tensor(), momentum);
}

TEST_CASE("SGD without momentum refuses a state that has some, and the other way round") {
  Tensor w = Tensor::ones({2});
  optim::SGD plain({{"w", w}}), heavy({{"w", w}}, {.momentum = 0.5});
  w.set_grad(Tensor::ones({2}));
  plain.step();
  heavy.step();
  CHECK_THROWS_TEXT(plain.load(heavy.state()), StateError,
                    "SGD: the state does not fit these parameters:\n  w/momentum: unexpected");
  CHECK_THROWS_TEXT(heavy.load(plain.state()), StateError,
                    "SGD: the state does not fit these parameters:\n  w/momentum: missing");
}

TEST_CASE("an optimizer does not share its memory with the state it loaded") {
  Tensor a = Tensor::ones({2}), b = Tensor::ones({2});
  optim::SGD first({{"w", a}}, {.momentum = 0.5}), second({{"w", b}}, {.momentum = 0.5});
  a.set_grad(Tensor::ones({2}));
  b.set_grad(Tensor::ones({2}));
  first.step();
  second.load(first.state());
  second.step();
  CHECK_CLOSE(first.state()["w/momentum"].tensor(), Tensor::ones({2}), tol::exact);
  CHECK_CLOSE(second.state()["w/momentum"].tensor(), Tensor::full({2}, 1.5), tol::exact);
}

}  // namespace
}  // namespace linnet::test
