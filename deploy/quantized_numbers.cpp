// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/quantized_numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "linnet/core/error.h"

namespace linnet::deploy {
namespace {

constexpr double kMostSteps = 0x1p30;          // of a bias, R5 of the arithmetic
constexpr double kLargestProduct = 255 * 127;  // (x - zero) w
constexpr int kSoftmaxEntries = 256, kGateBits = 11, kMostCellBits = 4;

double clamped(double x, double low, double high) { return std::clamp(std::nearbyint(x), low, high); }

/// Rows whose bias would have too many steps are rounded to fewer, larger ones.
void enlarge_scales(IntegerWeights& weights, const Tensor& bias, double x_scale) {
  const auto biases = bias.data<float>();
  const double room = 0x1p31 - 1.0 - static_cast<double>(weights.terms()) * kLargestProduct;
  const double most = std::max(1.0, std::min(kMostSteps, room));
  std::vector<float> scales;
  bool changed = false;
  for (std::int64_t row = 0; row < weights.rows(); ++row) {
    const double needed = std::fabs(static_cast<double>(biases[row])) / (x_scale * most);
    const bool larger = weights.scale(row) <= needed;
    scales.push_back(static_cast<float>(larger ? needed * (1.0 + 1e-6) : weights.scale(row)));
    changed = changed || larger;
  }
  if (!changed) return;
  Tensor q = weights.q.clone();
  auto to = q.mutable_data<std::int8_t>();
  const std::int64_t terms = weights.terms();
  for (std::int64_t i = 0; i < q.size(); ++i) {
    const double before = weights.scale(i / terms), now = static_cast<double>(scales[i / terms]);
    to[i] = static_cast<std::int8_t>(std::nearbyint(static_cast<double>(to[i]) * before / now));
  }
  weights = {q, std::move(scales)};
}

}  // namespace

lnt_multiplier multiplier(double factor) {
  int shift = 0;
  auto value = static_cast<std::int64_t>(std::llround(std::frexp(factor, &shift) * 0x1p31));
  if (value == std::int64_t{1} << 31) {
    value /= 2;
    ++shift;
  }
  if (value <= 0 || shift < -31) return {0, 0};
  if (shift > 30) return {std::numeric_limits<std::int32_t>::max(), 30};
  return {static_cast<std::int32_t>(value), shift};
}

IntegerWeights integer_weights(const Tensor& values, std::vector<float> scales) {
  IntegerWeights weights{Tensor::empty(values.shape(), i8), std::move(scales)};
  const auto from = values.data<float>();
  auto to = weights.q.mutable_data<std::int8_t>();
  const std::int64_t terms = weights.terms();
  for (std::int64_t i = 0; i < values.size(); ++i)
    to[i] = static_cast<std::int8_t>(
        clamped(static_cast<double>(from[i]) / weights.scale(i / terms), -127.0, 127.0));
  return weights;
}

IntegerProduct integer_product(IntegerWeights weights, const Tensor& bias, const Quantizer& x,
                               const Quantizer& y, const std::string& who) {
  const double x_scale = static_cast<double>(x.scale), y_scale = static_cast<double>(y.scale);
  if (bias.defined()) enlarge_scales(weights, bias, x_scale);
  IntegerProduct product;
  const std::int64_t rows = weights.rows(), terms = weights.terms();
  std::vector<std::int32_t> steps;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double step = x_scale * weights.scale(row);
    const double in_steps = bias.defined() ? static_cast<double>(bias.data<float>()[row]) / step : 0.0;
    steps.push_back(static_cast<std::int32_t>(std::nearbyint(in_steps)));
    check<GraphError>(lnt_i8_fits(static_cast<std::uint64_t>(terms), steps.back()) != 0, "deploy: ", who,
                      " sums ", terms, " products and a bias of ", steps.back(),
                      " steps, which may not fit 32 bits. Up to 66311 products do: split the layer, or keep "
                      "it in float.");
    product.factors.push_back(multiplier(step / y_scale));
  }
  product.sums.resize(static_cast<std::size_t>(rows));
  lnt_i8_fold(weights.q.data<std::int8_t>().data(), static_cast<std::size_t>(rows),
              static_cast<std::size_t>(terms), steps.data(), x.zero, product.sums.data());
  product.weights = std::move(weights);
  return product;
}

Tensor lookup_table(const Quantizer& x, const Quantizer& y, const std::function<Tensor(const Tensor&)>& f) {
  Tensor reals = Tensor::empty({256}, f64);
  auto real = reals.mutable_data<double>();
  for (int q = -128; q <= 127; ++q) real[q + 128] = static_cast<double>(x.scale) * (q - x.zero);
  const Tensor values = f(reals);
  Tensor table = Tensor::empty({256}, i8);
  auto to = table.mutable_data<std::int8_t>();
  for (std::size_t i = 0; i < 256; ++i) {
    const double steps = values.data<double>()[i] / static_cast<double>(y.scale);
    const double q = std::isnan(steps) ? y.zero : std::nearbyint(steps) + y.zero;
    to[i] = static_cast<std::int8_t>(std::clamp(q, double(y.low), double(y.high)));
  }
  return table;
}

Tensor softmax_table(float scale) {
  Tensor table = Tensor::empty({kSoftmaxEntries}, i32);
  auto to = table.mutable_data<std::int32_t>();
  for (int k = 0; k < kSoftmaxEntries; ++k)
    to[k] = static_cast<std::int32_t>(std::llround(0x1p23 * std::exp(-k * static_cast<double>(scale))));
  return table;
}

double sigmoid_of(double x) { return 1.0 / (1.0 + std::exp(-x)); }

Tensor gate_table(double (*f)(double)) {
  Tensor table = Tensor::empty({LNT_GATE_TABLE}, i32);
  auto to = table.mutable_data<std::int32_t>();
  for (int k = 0; k < LNT_GATE_TABLE; ++k)
    to[k] = static_cast<std::int32_t>(clamped(f((k - 256) / 16.0) * 0x1p15, -32768.0, 32767.0));
  return table;
}

Tensor gate_biases(const Tensor& bias) {
  Tensor steps = Tensor::empty(bias.shape(), i32);
  auto to = steps.mutable_data<std::int32_t>();
  for (std::int64_t i = 0; i < bias.size(); ++i)
    to[i] = static_cast<std::int32_t>(
        clamped(std::ldexp(static_cast<double>(bias.data<float>()[i]), kGateBits), -32768.0, 32767.0));
  return steps;
}

int cell_bits(std::int64_t steps) {
  return std::min(kMostCellBits, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(steps - 1))));
}

}  // namespace linnet::deploy
