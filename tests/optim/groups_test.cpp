// SPDX-License-Identifier: Apache-2.0
// Parameter groups, optimizers by name, and the formulas that PyTorch does not have.
#include <cmath>
#include <limits>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

/// Ones with gradients of one.
NamedTensors ones(std::initializer_list<const char*> names) {
  NamedTensors all;
  for (const char* name : names) {
    all.emplace_back(name, Tensor::ones({1}, f64).set_requires_grad(true));
    all.back().second.set_grad(Tensor::ones({1}, f64));
  }
  return all;
}

double value(const NamedTensors& tensors, std::size_t i) { return tensors[i].second.item(); }

}  // namespace

TEST_CASE("groups set rate and decay by name, a later one over an earlier, and a schedule multiplies all") {
  NamedTensors p = ones({"backbone.weight", "backbone.bias", "head.weight", "head.bias"});
  optim::SGD sgd(p, {.lr = 0.5,
                     .weight_decay = 1.0,
                     .groups = {{.pattern = "backbone.*", .lr = 0.125},
                                {.pattern = "*.bias", .weight_decay = 0.0},
                                {.pattern = "backbone.bias", .lr = 0.25}}});
  sgd.set_lr_factor(0.5);
  sgd.step();
  CHECK(value(p, 0) == 1.0 - 0.0625 * 2.0);
  CHECK(value(p, 1) == 1.0 - 0.125);
  CHECK(value(p, 2) == 1.0 - 0.25 * 2.0);
  CHECK(value(p, 3) == 1.0 - 0.25);

  sgd.set_lr(1.0);  // of those without a rate of their own, also after loading
  sgd.load(sgd.state());
  for (NamedTensor& named : p) named.second.fill_(1.0);
  sgd.step();
  CHECK(value(p, 0) == 1.0 - 0.0625 * 2.0);
  CHECK(value(p, 3) == 1.0 - 0.5);
}

TEST_CASE("a frozen group requires no gradient and is not moved") {
  nn::Sequential net{nn::Dense(3, 4), nn::Tanh(), nn::Dense(4, 2)};
  backward(sum(square(net(random_tensor({2, 3}, 1)))));
  optim::AdamW adamw(net.parameters(), {.groups = {{.pattern = "0.*", .frozen = true}}});
  const NamedTensors p = net.parameters();
  const Tensor weight = p[0].second.clone();
  adamw.step();
  CHECK_SAME_BITS(p[0].second, weight);
  CHECK_FALSE(p[0].second.requires_grad());
  CHECK_FALSE(p[1].second.grad().defined());
  CHECK(p[2].second.requires_grad());
  CHECK(adamw.state()["2.weight/steps"].integer() == 1);
}

TEST_CASE("a group that is wrong is refused before anything is frozen") {
  const NamedTensors p = ones({"a.weight", "b.weight"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto make = [&](optim::ParameterGroup group) {
    optim::Adam(p, {.groups = {{.pattern = "a.*", .frozen = true}, group}});
  };
  CHECK_THROWS_TEXT(make({.pattern = "c.*"}), ValueError,
                    "Adam: nothing matches \"c.*\". There are: a.weight, b.weight.");
  CHECK_THROWS_TEXT(make({.pattern = "b.*", .lr = -1.0}), ValueError,
                    "Adam: lr of a group must be in [0, inf), got -1.");
  CHECK_THROWS_TEXT(make({.pattern = "b.*", .weight_decay = nan}), ValueError,
                    "Adam: weight_decay of a group must be in [0, inf), got nan.");
  CHECK_THROWS_AS(optim::Adam(p, {.eps = 0.0, .groups = {{.pattern = "a.*", .frozen = true}}}), ValueError);
  CHECK(p[0].second.requires_grad());
}

TEST_CASE("Lion is the formula of its paper, step by step") {
  const double lr = 0.01, beta1 = 0.8, beta2 = 0.95, decay = 0.3;
  double w = 0.5, m = 0.0;
  Tensor tw = Tensor::from({w}, f64);
  optim::Lion lion({{"w", tw}}, {.lr = lr, .beta1 = beta1, .beta2 = beta2, .weight_decay = decay});
  for (int t = 1; t <= 50; ++t) {
    const double g = std::sin(2.5 * t) + 0.25;
    tw.set_grad(Tensor::from({g}, f64));
    lion.step();
    const double c = beta1 * m + (1 - beta1) * g;
    w -= lr * ((c > 0 ? 1.0 : c < 0 ? -1.0 : 0.0) + decay * w);
    m = beta2 * m + (1 - beta2) * g;
    CHECK_CLOSE(tw.item(), w, tol::f64);
  }
  CHECK_CLOSE(lion.state()["w/m"].tensor().item(), m, tol::f64);
}

TEST_CASE("optimizers have names, which the refusal of an unknown one lists") {
  NamedTensors p = ones({"a.weight", "a.bias"});
  std::vector<std::string> made;
  for (const std::string& name : optim::optimizer_names()) {
    const auto optimizer = optim::make_optimizer(
        name, p, {.lr = 0.25, .groups = {{.pattern = "*.bias", .lr = 0.0, .weight_decay = 0.0}}});
    made.push_back(optimizer->name());
    CHECK(optimizer->lr() == 0.25);
    p[1].second.set_grad(Tensor::ones({1}, f64));
    optimizer->step();
    CHECK(value(p, 1) == 1.0);
  }
  CHECK(made ==
        std::vector<std::string>{"SGD", "Adam", "AdamW", "Adam", "NAdam", "RMSprop", "Adagrad", "Lion"});
  CHECK(optim::make_optimizer("amsgrad", p)->state().size() == 5);
  CHECK_THROWS_TEXT(optim::make_optimizer("adamm", p), ValueError,
                    "make_optimizer: unknown optimizer adamm. There are: sgd, adam, adamw, amsgrad, nadam, "
                    "rmsprop, adagrad, lion.");
}

TEST_CASE("options of the newer optimizers outside their range are refused") {
  const NamedTensors p = ones({"w"});
  using namespace optim;
  CHECK_THROWS_TEXT(AdamW(p, {.beta1 = 1.0}), ValueError, "AdamW: beta1 must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(AdamW(p, {.weight_decay = -1.0}), ValueError,
                    "AdamW: weight_decay must be in [0, inf), got -1.");
  CHECK_THROWS_TEXT(NAdam(p, {.beta2 = -0.5}), ValueError, "NAdam: beta2 must be in [0, 1), got -0.5.");
  CHECK_THROWS_TEXT(NAdam(p, {.momentum_decay = -1.0}), ValueError,
                    "NAdam: momentum_decay must be in [0, inf), got -1.");
  CHECK_THROWS_TEXT(RMSprop(p, {.alpha = 1.0}), ValueError, "RMSprop: alpha must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(RMSprop(p, {.momentum = 1.0}), ValueError, "RMSprop: momentum must be in [0, 1), got 1.");
  CHECK_THROWS_TEXT(RMSprop(p, {.eps = 0.0}), ValueError,
                    "RMSprop: eps must be above 0, got 0. It keeps a zero gradient from dividing by zero.");
  CHECK_THROWS_TEXT(Adagrad(p, {.lr_decay = -1.0}), ValueError,
                    "Adagrad: lr_decay must be in [0, inf), got -1.");
  CHECK_THROWS_TEXT(Adagrad(p, {.initial = -1.0}), ValueError,
                    "Adagrad: initial must be in [0, inf), got -1.");
  CHECK_THROWS_TEXT(Lion(p, {.beta1 = 1.5}), ValueError, "Lion: beta1 must be in [0, 1), got 1.5.");
  CHECK_THROWS_TEXT(Lion(p, {.beta2 = 1.0}), ValueError, "Lion: beta2 must be in [0, 1), got 1.");
}

}  // namespace linnet::test
