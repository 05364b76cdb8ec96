// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/bidirectional.h"

#include "golden/golden.h"
#include "layer_checker.h"

namespace linnet::test {
namespace {

TEST_CASE("Bidirectional joins or adds what its layers give, states included") {
  manual_seed(1);
  const nn::RecurrentOptions ahead{.return_sequences = true}, back{.return_sequences = true, .reverse = true};
  nn::LSTM forward(3, 4, ahead);
  nn::GRU backward(3, 4, back);
  const Tensor x = random_tensor({2, 5, 3}, 1), mask = Tensor::from({{1, 1, 1, 0, 0}, {0, 1, 1, 1, 1}});
  const nn::RecurrentResult f = forward(x, {.mask = mask}), b = backward(x, {.mask = mask});
  const Tensor f_all = forward(x), b_all = backward(x);

  nn::Bidirectional both{std::move(forward), std::move(backward)};
  CHECK(both.describe() == "Bidirectional, concat");
  CHECK(both.parameters().front().first == "forward.weight_x");
  CHECK(both.parameters().back().first == "backward.bias_h");
  CHECK_SAME_BITS(both(x), concat({f_all, b_all}, -1));
  const nn::BidirectionalResult result = both(x, {.mask = mask});
  CHECK_SAME_BITS(result.output, concat({f.output, b.output}, 2));
  CHECK_SAME_BITS(result.forward.c, f.c);
  CHECK_SAME_BITS(result.backward.h, b.h);
  const nn::BidirectionalResult on = both(x, {.forward = {.h = f.h, .c = f.c}, .backward = {.h = b.h}});
  CHECK_FALSE(bit_difference(on.output, both(x)).empty());

  nn::Bidirectional sum{nn::RNN(3, 4), nn::RNN(3, 4, {.reverse = true}), {.merge = nn::Merge::sum}};
  CHECK(sum.describe() == "Bidirectional, sum");
  CHECK(sum(x).shape() == Shape{2, 4});
}

TEST_CASE("Bidirectional refuses layers that do not make a pair") {
  const auto make = [](nn::RecurrentOptions a, nn::RecurrentOptions b, std::int64_t in, std::int64_t units,
                       nn::Merge merge) {
    nn::GRU forward(3, 4, a), backward(in, units, b);
    return nn::Bidirectional{std::move(forward), std::move(backward), {.merge = merge}};
  };
  const nn::Merge concat = nn::Merge::concat, sum = nn::Merge::sum;
  CHECK_THROWS_TEXT(
      make({}, {}, 3, 4, concat), ValueError,
      "Bidirectional: the second layer, and only it, must be reverse: GRU 3 -> 4 and GRU 3 -> 4.");
  CHECK_THROWS_TEXT(
      make({.return_sequences = true}, {.reverse = true}, 3, 4, concat), ValueError,
      "Bidirectional: inputs and return_sequences must agree: GRU 3 -> 4, sequences and GRU 3 -> "
      "4, reverse.");
  CHECK_THROWS_TEXT(
      make({}, {.reverse = true}, 2, 4, concat), ValueError,
      "Bidirectional: inputs and return_sequences must agree: GRU 3 -> 4 and GRU 2 -> 4, reverse.");
  CHECK_THROWS_TEXT(make({}, {.reverse = true}, 3, 5, sum), ValueError,
                    "Bidirectional: a sum needs as many units on both sides: 4 and 5. Use concat?");
  CHECK_THROWS_TEXT(nn::Bidirectional(std::make_unique<nn::GRU>(3, 4), nullptr), ValueError,
                    "Bidirectional: a layer is missing: null pointer.");
}

template <class Layer>
Tensor run_both(const nlohmann::json& a, const GoldenInput& in) {
  const bool sequences = a["sequence"].get<bool>();
  const std::int64_t features = in("x").dim(2), units = in("forward_weight_h").dim(1);
  Layer forward(features, units, {.return_sequences = sequences}),
      backward(features, units, {.return_sequences = sequences, .reverse = true});
  const auto fill = [&](Layer& layer, const std::string& side) {
    layer.weight_x = in((side + "_weight_x").c_str());
    layer.weight_h = in((side + "_weight_h").c_str());
    layer.bias = in((side + "_bias").c_str());
    if constexpr (std::is_same_v<Layer, nn::GRU>) layer.bias_h = in((side + "_bias_h").c_str());
  };
  fill(forward, "forward");
  fill(backward, "backward");
  nn::Bidirectional both{std::move(forward), std::move(backward)};
  return both(in("x"));
}

TEST_CASE("Bidirectional layers and all their gradients agree with PyTorch") {
  check_golden_file("bidirectional.json",
                    {{"rnn", run_both<nn::RNN>}, {"gru", run_both<nn::GRU>}, {"lstm", run_both<nn::LSTM>}});
}

}  // namespace
}  // namespace linnet::test
