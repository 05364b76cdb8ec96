// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "special_values.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using test::kInf;
using test::kNan;

namespace {

constexpr int kPoints = 200'000;

double relative_error(double actual, double expected) { return std::abs((actual - expected) / expected); }

/// A fingerprint of many results (FNV-1a over their bits).
class Fingerprint {
 public:
  void add(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 0; shift < 64; shift += 8) hash_ = (hash_ ^ (bits >> shift & 0xFF)) * 0x100000001B3;
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace

TEST_CASE("exp is right to 1e-15 over its whole range") {
  Rng rng(1, 0);
  double worst = 0.0;
  for (int i = 0; i < kPoints; ++i) {
    const double wide = rng.uniform(-708.0, 709.7), narrow = rng.uniform(-1.0, 1.0);
    worst = std::max(worst, relative_error(math::exp(wide), std::exp(wide)));
    worst = std::max(worst, relative_error(math::exp(narrow), std::exp(narrow)));
  }
  CHECK(worst < 1e-15);
}

TEST_CASE("exp of special values") {
  CHECK(math::exp(0.0) == 1.0);
  CHECK(math::exp(kInf) == kInf);
  CHECK(math::exp(-kInf) == 0.0);
  CHECK(math::exp(709.8) == kInf);
  CHECK(math::exp(709.785) == kInf);
  CHECK(math::exp(1e300) == kInf);
  CHECK(math::exp(-745.2) == 0.0);
  CHECK(std::isnan(math::exp(kNan)));
  CHECK(std::abs(math::exp(-740.0) - std::exp(-740.0)) <= std::numeric_limits<double>::denorm_min());
}

TEST_CASE("log is right to 1e-15 over its whole range and close to 1") {
  Rng rng(2, 0);
  double worst = 0.0;
  for (int i = 0; i < kPoints; ++i) {
    const double wide = std::exp(rng.uniform(-708.0, 709.0)), narrow = rng.uniform(0.5, 2.0);
    const double close = 1.0 + rng.uniform(-1e-6, 1e-6);
    for (double x : {wide, narrow, close}) worst = std::max(worst, relative_error(math::log(x), std::log(x)));
  }
  CHECK(worst < 1e-15);
}

TEST_CASE("log of special values") {
  CHECK(math::log(1.0) == 0.0);
  CHECK(math::log(0.0) == -kInf);
  CHECK(math::log(kInf) == kInf);
  CHECK(std::isnan(math::log(-1.0)));
  CHECK(std::isnan(math::log(kNan)));
  const double smallest = std::numeric_limits<double>::denorm_min();
  CHECK(relative_error(math::log(smallest), std::log(smallest)) < 1e-15);
}

TEST_CASE("sine and cosine of turns are right to 1e-15, also after many turns") {
  Rng rng(3, 0);
  double worst = 0.0;
  for (int i = 0; i < kPoints; ++i) {
    const double part = rng.uniform(-0.5, 0.5), angle = 2.0 * 3.14159265358979323846 * part;
    const double turns = part + static_cast<double>(rng.below(1000)) - 500.0;
    const double rounded = 2.0 * 3.14159265358979323846 * (turns - std::round(turns));
    worst = std::max({worst, std::abs(math::sin_turn(part) - std::sin(angle)),
                      std::abs(math::cos_turn(part) - std::cos(angle)),
                      std::abs(math::sin_turn(turns) - std::sin(rounded)),
                      std::abs(math::cos_turn(turns) - std::cos(rounded))});
  }
  CHECK(worst < 1e-15);
}

TEST_CASE("quarter turns are exact, however many") {
  for (double whole : {0.0, 1.0, -3.0, 1e6, -0x1p48, 0x1p50}) {
    CHECK(math::sin_turn(whole) == 0.0);
    CHECK(math::cos_turn(whole) == 1.0);
    CHECK(math::sin_turn(whole + 0.25) == 1.0);
    CHECK(math::cos_turn(whole + 0.25) == 0.0);
    CHECK(math::sin_turn(whole + 0.5) == 0.0);
    CHECK(math::cos_turn(whole + 0.5) == -1.0);
    CHECK(math::sin_turn(whole - 0.25) == -1.0);
  }
  CHECK(math::cos_turn(1e300) == 1.0);
  CHECK(std::isnan(math::sin_turn(kInf)));
  CHECK(std::isnan(math::cos_turn(kNan)));
}

TEST_CASE("pow is right to 1e-15 times the size of its exponent's logarithm") {
  Rng rng(4, 0);
  for (int i = 0; i < 20'000; ++i) {
    const double base = std::exp(rng.uniform(-5.0, 5.0)), exponent = rng.uniform(-20.0, 20.0);
    const double bound = 1e-15 * (1.0 + std::abs(exponent * std::log(base)));
    CHECK(relative_error(math::pow(base, exponent), std::pow(base, exponent)) < bound);
  }
}

TEST_CASE("pow of special values") {
  CHECK(math::pow(0.0, 0.0) == 1.0);
  CHECK(math::pow(0.0, 2.0) == 0.0);
  CHECK(math::pow(0.0, -1.0) == kInf);
  CHECK(math::pow(7.0, 0.0) == 1.0);
  CHECK(math::pow(1.0, kInf) == 1.0);
  CHECK(std::isnan(math::pow(-1.0, 0.5)));
}

TEST_CASE("the functions give these very bits on every machine and compiler") {
  Fingerprint fingerprint;
  for (int i = 1; i <= 20'000; ++i) {
    const double x = i / 1024.0;
    fingerprint.add(math::exp(x - 10.0));
    fingerprint.add(math::log(x));
    fingerprint.add(math::sin_turn(x));
    fingerprint.add(math::cos_turn(x));
    fingerprint.add(math::pow(x, 0.9));
  }
  CHECK(fingerprint.value() == 2129155701847782883u);
}
