// SPDX-License-Identifier: Apache-2.0
// freeze(): what it stops, what it leaves, and what is computed for it.
#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

/// A backbone and a head, as of a network that is fine-tuned.
struct TwoParts : nn::Module {
  nn::Sequential backbone{nn::Conv2D(2, 4, {.kernel = 3}),
                          nn::BatchNorm(4),
                          nn::ReLU(),
                          nn::Flatten(),
                          nn::Dense(16, 8),
                          nn::Tanh()};
  nn::Sequential head{nn::Dense(8, 6), nn::BatchNorm(6), nn::Tanh(), nn::Dense(6, 3)};
  void members(nn::Members& m) override {
    m.child("backbone", backbone);
    m.child("head", head);
  }
  Tensor operator()(const Tensor& x) { return head(backbone(x)); }
};

const Tensor kImages = random_tensor({5, 4, 4, 2}, 1), kLabels = random_labels({5}, 2, 3);

std::int64_t rules_run(TwoParts& net) {
  return gradient_rules_run([&] { backward(cross_entropy(net(kImages), kLabels)); });
}

State copy_of(const State& state) {
  State copy;
  for (const auto& [name, value] : state) copy.set(name, value.tensor().clone());
  return copy;
}

void train(TwoParts& net, int steps) {
  optim::Adam adam(net.parameters(), {.lr = 0.05, .weight_decay = 0.1});
  for (int i = 0; i < steps; ++i) {
    const Tensor loss = cross_entropy(net(kImages), kLabels);
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
}

TEST_CASE("backward runs no rule below the lowest layer that is trained") {
  TwoParts net;
  // conv, batch_norm with relu, reshape, dense, tanh; dense, batch_norm, tanh, dense; cross_entropy
  CHECK(rules_run(net) == 10);
  net.freeze("backbone.0.*");  // the convolution, whose input wants no gradient
  CHECK(rules_run(net) == 9);
  net.freeze("backbone.*");
  CHECK(rules_run(net) == 5);
  net.freeze("head.0.*");
  net.freeze("head.1.*");
  CHECK(rules_run(net) == 2);
  net.unfreeze("head.1.*");
  CHECK(rules_run(net) == 4);
  net.unfreeze("backbone.4.bias");  // everything above it is on the way
  CHECK(rules_run(net) == 7);
  net.unfreeze();
  CHECK(rules_run(net) == 10);
}

TEST_CASE("parameters and statistics of a frozen part stay as they are, byte for byte; the rest trains") {
  manual_seed(1);
  TwoParts net;
  train(net, 3);
  net.freeze("backbone.*");
  const State before = copy_of(net.state());
  train(net, 5);
  for (const State::Entry& entry : net.state()) {
    CAPTURE(entry.first);
    CHECK((entry.second == before[entry.first]) == entry.first.starts_with("backbone."));
  }
}

TEST_CASE("a frozen part computes in training mode what it computes in eval mode") {
  TwoParts net;
  train(net, 3);
  net.freeze("backbone.*");
  const Tensor training = net.backbone(kImages);
  net.eval();
  CHECK_SAME_BITS(net.backbone(kImages), training);
  net.train();
  net.unfreeze("backbone.*");
  CHECK_FALSE(bit_difference(net.backbone(kImages).detach(), training).empty());
}

TEST_CASE("a pattern of weights alone leaves the statistics of BatchNorm moving") {
  TwoParts net;
  net.freeze("*.weight");
  const auto& norm = dynamic_cast<const nn::BatchNorm&>(net.backbone[1]);
  CHECK_FALSE(norm.frozen());
  CHECK_FALSE(norm.weight.requires_grad());
  CHECK(norm.bias.requires_grad());
  net.freeze("*.running_mean");
  CHECK(norm.frozen());
  nn::BatchNorm alone(3);
  alone.freeze();
  CHECK(alone.frozen());
  CHECK_FALSE(alone.bias.requires_grad());
}

TEST_CASE("freezing drops gradients, so that an optimizer made before moves nothing that is frozen") {
  TwoParts net;
  optim::Adam adam(net.parameters(), {.lr = 0.05});
  backward(cross_entropy(net(kImages), kLabels));
  net.freeze("backbone.*");
  const State before = copy_of(net.state());
  adam.step();
  for (const NamedTensor& named : net.parameters()) {
    const std::string& name = named.first;
    const Tensor& parameter = named.second;
    CAPTURE(name);
    CHECK(parameter.grad().defined() == name.starts_with("head."));
    CHECK(bit_difference(parameter.detach(), before[name].tensor()).empty() == name.starts_with("backbone."));
  }
}

TEST_CASE("a pattern that nothing matches is refused with the names, and changes nothing") {
  nn::Sequential net{nn::Dense(2, 2), nn::BatchNorm(2)};
  CHECK_THROWS_TEXT(net.freeze("backbone.*"), ValueError,
                    "freeze: nothing matches \"backbone.*\". There are: 0.weight, 0.bias, 1.weight, 1.bias, "
                    "1.running_mean, 1.running_var.");
  CHECK_THROWS_TEXT(net.unfreeze(""), ValueError,
                    "unfreeze: nothing matches \"\". There are: 0.weight, 0.bias, 1.weight, 1.bias, "
                    "1.running_mean, 1.running_var.");
  for (const NamedTensor& named : net.parameters()) CHECK(named.second.requires_grad());
}

}  // namespace
}  // namespace linnet::test
