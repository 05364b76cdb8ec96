// SPDX-License-Identifier: Apache-2.0
// Factors, sums and tables of integer ops against what they stand for.
#include "linnet/deploy/quantized_numbers.h"

#include <cmath>

#include "linnet/autograd/ops.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

double value_of(const lnt_multiplier& m) { return std::ldexp(m.value, m.shift - 31); }

TEST_CASE("a multiplier is the nearest of 31 bits, 0 below 2^-32 and the largest from 2^30") {
  for (double factor : {1.0, 0.5, 0.75, 1e-4, 3.7e-3, 0.1, 0.99999999999, 1234.5, 0x1p-32, 0x1.fffffffp29}) {
    CAPTURE(factor);
    const lnt_multiplier m = deploy::multiplier(factor);
    CHECK(m.value >= 1 << 30);
    CHECK(m.shift >= -31);
    CHECK(m.shift <= 30);
    CHECK(std::fabs(value_of(m) / factor - 1.0) <= 0x1p-31);
  }
  CHECK(value_of(deploy::multiplier(0x1.ffffffffffp-1)) == 1.0);  // 2^31 is halved
  CHECK(deploy::multiplier(0x1.fffp-33).value == 0);
  CHECK(deploy::multiplier(0x1.fffp-33).shift == 0);
  CHECK(deploy::multiplier(0.0).value == 0);
  CHECK(deploy::multiplier(1e12).value == 2147483647);
  CHECK(deploy::multiplier(1e12).shift == 30);
}

TEST_CASE("sums of an integer product hold the bias and what the zero of x adds") {
  const Tensor values = Tensor::from({{0.5, -0.25, 0.0}, {1.0, 0.75, -0.5}});
  const deploy::IntegerWeights weights = deploy::integer_weights(values, {0.25f});
  const auto q = weights.q.data<std::int8_t>();
  CHECK(std::vector<int>(q.begin(), q.end()) == std::vector<int>{2, -1, 0, 4, 3, -2});
  const Quantizer x{0.5f, -10, -128, 127}, y{0.125f, 3, -128, 127};
  const deploy::IntegerProduct product =
      deploy::integer_product(weights, Tensor::from({1.0, -2.0}), x, y, "dense");
  CHECK(product.sums == std::vector<std::int32_t>{8 + 10 * 1, -16 + 10 * 5});
  CHECK(value_of(product.factors[0]) == 1.0);
  CHECK(value_of(product.factors[1]) == 1.0);
  CHECK(deploy::integer_product(weights, {}, x, y, "dense").sums == std::vector<std::int32_t>{10, 50});
}

TEST_CASE("a bias of too many steps makes the scale of its row larger, and only of that row") {
  const Quantizer x{1e-4f, 0, -128, 127}, y{0.1f, 0, -128, 127};
  const deploy::IntegerWeights weights =
      deploy::integer_weights(Tensor::from({{1e-4, -1e-4}, {1e-4, 5e-5}}), {1e-6f});
  const auto product = deploy::integer_product(weights, Tensor::from({50.0, 0.001}), x, y, "dense");
  CHECK(product.weights.scales.size() == 2);
  CHECK(product.weights.scale(0) > 50.0 / (1e-4 * 0x1p30) * 0.999);
  CHECK(product.weights.scales[1] == 1e-6f);
  CHECK(std::fabs(product.sums[0] * 1e-4 * product.weights.scale(0) - 50.0) < 1e-4);
  CHECK(std::abs(product.sums[0]) <= 1 << 30);
  CHECK(product.weights.q.data<std::int8_t>()[2] == 100);
}

TEST_CASE("sums that may leave 32 bits are refused") {
  const Quantizer x{0.1f, 0, -128, 127};
  const auto of_terms = [&](std::int64_t terms) {
    return deploy::integer_product({Tensor::full({1, terms}, 1.0, i8), {0.1f}}, {}, x, x, "dense")
        .sums.size();
  };
  CHECK(of_terms(66311) == 1);
  CHECK_THROWS_TEXT(
      of_terms(66312), GraphError,
      "deploy: dense sums 66312 products and a bias of 0 steps, which may not fit 32 bits. Up to "
      "66311 products do: split the layer, or keep it in float.");
}

TEST_CASE("a lookup table holds the function of each integer, rounded and limited as fake_quant does") {
  const Quantizer x{0.05f, 17, -128, 127}, y{1.0f / 256, -128, -128, 127};
  const Tensor table = deploy::lookup_table(x, y, [](const Tensor& t) { return sigmoid(t); });
  for (int q = -128; q <= 127; ++q) {
    const double real = 1.0 / (1.0 + std::exp(-static_cast<double>(x.scale) * (q - 17)));
    const double expected = std::fmin(std::nearbyint(real * 256) - 128, 127);
    CHECK(int{table.data<std::int8_t>()[q + 128]} == static_cast<int>(expected));
  }
  const Tensor logs = deploy::lookup_table(x, {0.1f, 5, -128, 127}, [](const Tensor& t) { return log(t); });
  CHECK(int{logs.data<std::int8_t>()[0]} == 5);            // of NaN, the zero
  CHECK(int{logs.data<std::int8_t>()[17 + 128]} == -128);  // of -infinity, the lowest
}

TEST_CASE("tables of softmax and gates are what reference.h says of them") {
  const Tensor softmax = deploy::softmax_table(0.1f);
  CHECK(softmax.data<std::int32_t>()[0] == 1 << 23);
  CHECK(softmax.data<std::int32_t>()[10] == std::llround(0x1p23 * std::exp(-10.0 * double(0.1f))));
  const Tensor gate = deploy::gate_table(deploy::sigmoid_of);
  CHECK(gate.size() == 513);
  CHECK(gate.data<std::int32_t>()[256] == 1 << 14);
  CHECK(gate.data<std::int32_t>()[512] == 32767);  // saturated
  const Tensor biases = deploy::gate_biases(Tensor::from({1.0, -0.5, 100.0, -100.0}));
  const auto b = biases.data<std::int32_t>();
  CHECK(std::vector<int>(b.begin(), b.end()) == std::vector<int>{2048, -1024, 32767, -32768});
  CHECK(deploy::cell_bits(1) == 0);
  CHECK(deploy::cell_bits(2) == 1);
  CHECK(deploy::cell_bits(9) == 4);
  CHECK(deploy::cell_bits(1000) == 4);
}

}  // namespace
}  // namespace linnet
