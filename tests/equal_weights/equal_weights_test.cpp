// SPDX-License-Identifier: Apache-2.0
// The same seed gives the same weights, bit for bit, after training: with any number of threads, on every
// instruction set with fused multiply-add, and on every machine: the sums below were written down once and
// hold on x86-64 and on arm64 alike. A change of initialisers, kernels or their order of adding changes them,
// and then every user's runs too: say so in CHANGELOG.md.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/workloads.h"

using namespace linnet;

namespace {

constexpr int kSteps = 20;
constexpr std::uint64_t kMlpSum = 18142536338949722353u;
constexpr std::uint64_t kCnnSum = 14046380200211346718u;
constexpr std::uint64_t kRecurrentSum = 6801600776385117763u;
constexpr std::uint64_t kLstmSum = 7357617255644541624u;
constexpr std::uint64_t kMobilenetSum = 13738096113688968075u;

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

/// The weights after some steps of Adam on batches of a seed.
template <class Batch>
std::uint64_t train(nn::Sequential model, int steps, Batch loss_of) {
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  for (int step = 0; step < steps; ++step) {
    const Tensor loss = loss_of(model, static_cast<std::uint64_t>(step));
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
  return sum_of_weights(model);
}

/// Cross-entropy on generated images.
std::uint64_t train_on_images(nn::Sequential (*net)(), const Shape& images, int steps) {
  manual_seed(42);
  return train(net(), steps, [&images](nn::Sequential& model, std::uint64_t seed) {
    return cross_entropy(model(test::random_tensor(images, seed, 0.0, 1.0)),
                         test::random_labels({images[0]}, 1000 + seed, 10));
  });
}

// The batches, and the images of mobilenet, are small for the emulator's sake.
std::uint64_t train_mlp() { return train_on_images(test::mlp_workload, {32, 28, 28, 1}, kSteps); }
std::uint64_t train_cnn(int steps = kSteps) {
  return train_on_images(test::cnn_workload, {8, 28, 28, 1}, steps);
}
std::uint64_t train_mobilenet() { return train_on_images(test::mobilenet_workload, {5, 40, 40, 3}, 3); }
std::uint64_t train_lstm() {
  manual_seed(42);
  return train(test::lstm_workload(), 4, [](nn::Sequential& model, std::uint64_t seed) {
    return mse(model(test::random_tensor({33, 20, 8}, seed)), test::random_tensor({33, 1}, 1000 + seed));
  });
}

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

template <class Train>
void check_on_every_fused_isa(Train train, std::uint64_t sum) {
  for (Isa isa : available_isas()) {
    if (isa == Isa::sse2) continue;
    INFO(std::string(name(isa)));
    const test::IsaScope scope(isa);
    CHECK(train() == sum);
  }
}

template <class Train>
void check_threads(Train train) {
  std::uint64_t alone = 0;
  for (int threads : {1, 2, 4}) {
    const test::ThreadScope scope(threads);
    CAPTURE(threads);
    const std::uint64_t sum = train();
    if (threads == 1) alone = sum;
    CHECK(sum == alone);
  }
}

}  // namespace

TEST_CASE("twenty steps of mlp end in the weights written down, on every fused instruction set") {
  check_on_every_fused_isa(train_mlp, kMlpSum);
}

TEST_CASE("twenty steps of cnn end in the weights written down, on every fused instruction set") {
  check_on_every_fused_isa([] { return train_cnn(); }, kCnnSum);
}

TEST_CASE("four steps of lstm end in the weights written down, on every fused instruction set") {
  check_on_every_fused_isa(train_lstm, kLstmSum);
}

TEST_CASE("three steps of mobilenet end in the weights written down, on every fused instruction set") {
  check_on_every_fused_isa(train_mobilenet, kMobilenetSum);
}

TEST_CASE("ten steps of a recurrent net end in the weights written down, on every fused instruction set") {
  check_on_every_fused_isa(train_recurrent, kRecurrentSum);
}

TEST_CASE("the number of threads does not change a bit of the weights of any workload") {
  const auto train_few_cnn = [] { return train_cnn(5); };
  for (Isa isa : available_isas()) {  // without fused multiply-add too, though the sum is another one
    const test::IsaScope scope(isa);
    INFO(std::string(name(isa)));
    check_threads(train_mlp);
    check_threads(train_few_cnn);
    check_threads(train_lstm);
    check_threads(train_mobilenet);
    check_threads(train_recurrent);
  }
}

TEST_CASE("another seed ends in other weights") {
  manual_seed(1);
  nn::Sequential first = test::mlp_workload();
  manual_seed(2);
  nn::Sequential second = test::mlp_workload();
  CHECK(sum_of_weights(first) != sum_of_weights(second));
}
