// SPDX-License-Identifier: Apache-2.0
// The ops that quantize their inputs on the way, against plain sums of what 8 bits say.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "int8_run.h"

namespace linnet::test {
namespace {

/// x as its sample's 8 bits say it.
Floats through_8_bits(const Floats& x, std::size_t begin, std::size_t n) {
  double low = 0, high = 0;
  for (std::size_t i = begin; i < begin + n; ++i)
    low = std::min<double>(low, x[i]), high = std::max<double>(high, x[i]);
  const double exact = std::max((high - low) / 255, 1e-30);
  const auto s = static_cast<float>(exact), zero = static_cast<float>(std::nearbyint(-128 - low / exact));
  Floats q(n);
  for (std::size_t i = 0; i < n; ++i)
    q[i] = std::clamp(std::nearbyint(x[begin + i] / s) + zero, -128.0f, 127.0f) - zero;
  for (float& each : q) each *= s;
  return q;
}

}  // namespace

TEST_CASE("dynamic dense quantizes each sample by its own range, and is the product of what that gives") {
  std::mt19937 random(7);
  Int8Op op = dynamic_dense();
  op.in[2].values = {5, 3, 2, 1};  // so that relu lets something through, whatever the size of x
  Int8Model model(int8_file(op));
  for (float size : {1.0f, 1e-3f, 1e6f, 0.0f}) {
    Floats x = random_between(random, 10, -size, size);
    for (std::size_t i = 5; i < 10; ++i) x[i] = std::fabs(x[i]) * 3;  // the second: 0 is its lowest
    model.set(x);
    const Floats y = model.run<float>();
    for (std::size_t r = 0; r < 2; ++r) {
      const Floats q = through_8_bits(x, 5 * r, 5);
      for (std::size_t o = 0; o < 4; ++o) {
        double sum = op.in[2].values[o], most = std::fabs(sum);
        for (std::size_t k = 0; k < 5; ++k) {
          const double term = double{q[k]} * op.in[1].quant.scales[o] * op.in[1].values[o * 5 + k];
          sum += term, most += std::fabs(term);
        }
        CHECK(std::fabs(y[r * 4 + o] - std::max(sum, 0.0)) <= 1e-6 * most);
      }
    }
  }
}

TEST_CASE("a sample of a dynamic op has the same bits alone and among others") {
  std::mt19937 random(8);
  Int8Op op = dynamic_dense();
  Int8Model both(int8_file(op));
  op.in[0].dims = {1, 5}, op.out.dims = {1, 4};
  Int8Model alone(int8_file(op));
  const Floats x = random_between(random, 10, -3, 5), second(x.begin() + 5, x.end());
  both.set(x);
  alone.set(second);
  const Floats y = both.run<float>();
  CHECK(alone.run<float>() == Floats(y.begin() + 4, y.end()));
}

TEST_CASE("dynamic convolution is the sum over the taps of the image in 8 bits") {
  std::mt19937 random(9);
  const Int8Op op = dynamic_conv2d();
  Int8Model model(int8_file(op));
  const Floats x = random_between(random, 120, -1, 2), q = through_8_bits(x, 0, 120);
  model.set(x);
  const Floats y = model.run<float>();
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 5; ++j)
      for (int o = 0; o < 8; ++o) {
        double sum = op.in[2].values[static_cast<std::size_t>(o)], most = std::fabs(sum);
        each_tap(i, j, o, [&](int at, int tap) {
          if (at < 0) return;
          const double term =
              0.5 * q[static_cast<std::size_t>(at)] * op.in[1].values[static_cast<std::size_t>(tap)];
          sum += term, most += std::fabs(term);
        });
        CHECK(std::fabs(y[static_cast<std::size_t>((i * 5 + j) * 8 + o)] - sum) <= 1e-6 * most);
      }
}

TEST_CASE("a dynamic op of numbers that are not finite runs") {
  Int8Model model(int8_file(dynamic_dense()));
  for (float special : {INFINITY, -INFINITY, NAN, 3e38f, 1e-45f}) {
    model.set(Floats{special, 1, 2, 3, -special, 1, special, 1, 1, 1});
    model.run<float>();
  }
}

}  // namespace linnet::test
