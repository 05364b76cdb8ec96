// SPDX-License-Identifier: Apache-2.0
// The same seed gives the same weights, bit for bit, after training: with any number of threads, on every
// instruction set with fused multiply-add, and on every machine: the sums below were written down once and
// hold on x86-64 and on arm64 alike. A change of initialisers, kernels or their order of adding changes them,
// and then every user's runs too: say so in CHANGELOG.md.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

constexpr int kSteps = 20;
constexpr std::uint64_t kMlpSum = 18142536338949722353u;
constexpr std::uint64_t kCnnSum = 12367886063080083878u;
constexpr std::uint64_t kRecurrentSum = 6801600776385117763u;

// In braces the layers are made from left to right; in parentheses the compiler may draw their weights in any
// order.
nn::Sequential mnist_mlp() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128, {.weight_init = nn::init::he_uniform}), nn::ReLU(),
                        nn::Dropout(0.2), nn::Dense(128, 10)};
}

nn::Sequential mnist_cnn() {
  return nn::Sequential{nn::Conv2D(1, 32, {.kernel = 3, .weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Conv2D(32, 64, {.kernel = 3, .weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Flatten(),
                        nn::Dense(1600, 64, {.weight_init = nn::init::he_uniform}),
                        nn::ReLU(),
                        nn::Dense(64, 10)};
}

/// Odd sizes, several groups of sequences, both directions, a mask, every kind of step.
struct Recurrent : nn::Module {
  nn::LSTM lstm{5, 21, {.return_sequences = true}};
  nn::Bidirectional both{nn::GRU(21, 9, {.return_sequences = true}),
                         nn::LSTM(21, 9, {.return_sequences = true, .reverse = true})};
  nn::RNN rnn{18, 13};
  nn::Dense dense{13, 10};

  void members(nn::Members& m) override {
    m.child("lstm", lstm);
    m.child("both", both);
    m.child("rnn", rnn);
    m.child("dense", dense);
  }
  Tensor operator()(const Tensor& x, const Tensor& mask) {
    const Tensor h = both(lstm(x, {.mask = mask}).output, {.mask = mask}).output;
    return dense(rnn(h, {.mask = mask}).output);
  }
};

/// FNV-1a over the bytes of all parameters, in member order.
std::uint64_t sum_of_weights(nn::Module& model) {
  std::uint64_t sum = 0xcbf29ce484222325u;
  for (const auto& [name, tensor] : model.parameters()) {
    for (std::byte byte : std::as_bytes(tensor.data<float>())) {
      sum = (sum ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3u;
    }
  }
  return sum;
}

/// The weights after some steps of Adam on generated images.
std::uint64_t train(nn::Sequential (*recipe)(), std::int64_t batch, int steps) {
  manual_seed(42);
  nn::Sequential model = recipe();
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  for (int step = 0; step < steps; ++step) {
    const auto seed = static_cast<std::uint64_t>(step);
    Tensor loss = cross_entropy(model(test::random_tensor({batch, 28, 28, 1}, seed, 0.0, 1.0)),
                                test::random_labels({batch}, 1000 + seed, 10));
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
  return sum_of_weights(model);
}

std::uint64_t train_mlp() { return train(mnist_mlp, 32, kSteps); }
// Small, for the emulator's sake.
std::uint64_t train_cnn(int steps = kSteps) { return train(mnist_cnn, 8, steps); }

std::uint64_t train_recurrent() {
  manual_seed(42);
  Recurrent model;
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  const Tensor mask = test::random_labels({37, 11}, 1, 4);  // one step in four is not there
  for (std::uint64_t step = 0; step < 10; ++step) {
    Tensor loss = cross_entropy(model(test::random_tensor({37, 11, 5}, step), mask),
                                test::random_labels({37}, 1000 + step, 10));
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
  return sum_of_weights(model);
}

std::vector<Isa> fused_isas() {
  std::vector<Isa> fused;
  for (Isa isa : available_isas()) {
    if (isa != Isa::sse2) fused.push_back(isa);
  }
  return fused;
}

}  // namespace

TEST_CASE("twenty steps of mnist-mlp end in the weights written down, on every fused instruction set") {
  for (Isa isa : fused_isas()) {
    INFO(std::string(name(isa)));
    test::IsaScope scope(isa);
    CHECK(train_mlp() == kMlpSum);
  }
}

TEST_CASE("twenty steps of mnist-cnn end in the weights written down, on every fused instruction set") {
  for (Isa isa : fused_isas()) {
    INFO(std::string(name(isa)));
    test::IsaScope scope(isa);
    CHECK(train_cnn() == kCnnSum);
  }
}

TEST_CASE("ten steps of a recurrent net end in the weights written down, on every fused instruction set") {
  for (Isa isa : fused_isas()) {
    INFO(std::string(name(isa)));
    test::IsaScope scope(isa);
    CHECK(train_recurrent() == kRecurrentSum);
  }
}

TEST_CASE("the number of threads does not change a bit of the trained weights") {
  for (Isa isa : available_isas()) {  // without fused multiply-add too, though the sum is another one
    test::IsaScope scope(isa);
    std::vector<std::uint64_t> mlp, cnn, recurrent;
    for (int threads : {1, 2, 4}) {
      test::ThreadScope scoped(threads);
      mlp.push_back(train_mlp());
      cnn.push_back(train_cnn(5));
      recurrent.push_back(train_recurrent());
    }
    INFO(std::string(name(isa)));
    CHECK(mlp[1] == mlp[0]);
    CHECK(mlp[2] == mlp[0]);
    CHECK(cnn[1] == cnn[0]);
    CHECK(cnn[2] == cnn[0]);
    CHECK(recurrent[1] == recurrent[0]);
    CHECK(recurrent[2] == recurrent[0]);
  }
}

TEST_CASE("another seed ends in other weights") {
  manual_seed(1);
  nn::Sequential first = mnist_mlp();
  manual_seed(2);
  nn::Sequential second = mnist_mlp();
  CHECK(sum_of_weights(first) != sum_of_weights(second));
}
