// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/math.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace linnet::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// ln 2 in two parts: the first has 32 significant bits, so that k times it is exact for every exponent k.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kOverLn2 = 0x1.71547652b82fep+0;
constexpr double kTwoPi = 0x1.921fb54442d18p+2;

/// 2^k for a normal result.
double power_of_two(int k) { return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52); }

/// The nearest whole number, for |x| < 2^51: the sum has no room for a fraction.
double nearest(double x) {
  constexpr double kNoFraction = 0x1.8p52;
  return (x + kNoFraction) - kNoFraction;
}

struct SinCos {
  double sin, cos;
};

/// sin and cos of an angle of at most pi / 4, by Taylor's series; the first omitted terms are below 1e-17.
SinCos sin_cos(double angle) {
  const double z = angle * angle;
  double s = 0.0, c = 0.0;
  for (int n = 17; n >= 3; n -= 2) s = (1.0 + s) * (-z / (n * (n - 1)));  // -z/6 (1 - z/20 (1 - ...))
  for (int n = 18; n >= 2; n -= 2) c = (1.0 + c) * (-z / (n * (n - 1)));
  return {angle + angle * s, 1.0 + c};
}

/// sin and cos of 2 pi turns: the nearest quarter turn is taken off exactly, then put back by swapping.
SinCos sin_cos_turn(double turns) {
  if (!(turns > -0x1p52 && turns < 0x1p52))  // whole already, or not finite
    return turns - turns == 0.0 ? SinCos{0.0, 1.0} : SinCos{kNaN, kNaN};
  const double whole = turns > -0x1p50 && turns < 0x1p50
                           ? nearest(turns)
                           : static_cast<double>(static_cast<std::int64_t>(turns));
  const double part = turns - whole;  // exact
  const double quarters = nearest(4.0 * part);
  const SinCos rest = sin_cos(kTwoPi * (part - 0.25 * quarters));
  switch (static_cast<int>(quarters) & 3) {
    case 0:
      return rest;
    case 1:
      return {rest.cos, -rest.sin};
    case 2:
      return {-rest.sin, -rest.cos};
    default:
      return {-rest.cos, rest.sin};
  }
}

}  // namespace

// e^x = 2^k e^r,  k = nearest(x / ln 2),  |r| <= ln 2 / 2; e^r by Taylor's series to r^13 / 13!.
double exp(double x) {
  if (x != x) return x;
  if (x > 709.79) return kInfinity;
  if (x < -745.14) return 0.0;
  const double k = nearest(x * kOverLn2);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double series = 0.0;
  for (int n = 13; n >= 2; --n) series = (1.0 + series) * (r / n);
  const double y = 1.0 + (1.0 + series) * r;
  const int half = static_cast<int>(k) / 2;  // in two steps, because 2^k alone may be out of range
  return y * power_of_two(half) * power_of_two(static_cast<int>(k) - half);
}

// x = 2^e m, sqrt(1/2) <= m < sqrt(2).   log m = 2 atanh f = 2 (f + f^3/3 + f^5/5 + ...),  f = (m - 1) / (m +
// 1).
double log(double x) {
  if (x == 0.0) return -kInfinity;
  if (!(x > 0.0)) return kNaN;
  if (x == kInfinity) return x;
  int e = 0;
  if (x < 0x1p-1022) x *= 0x1p54, e = -54;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t kSqrtHalf = 0x3FE6A09E667F3BCD;  // bits of sqrt(1/2)
  const auto shift = static_cast<std::int64_t>(bits - kSqrtHalf) >> 52;
  e += static_cast<int>(shift);
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(shift) << 52));
  const double f = (m - 1.0) / (m + 1.0), z = f * f;
  double series = 0.0;
  for (int n = 23; n >= 3; n -= 2) series = z * (series + 1.0 / n);
  return e * kLn2High + (2.0 * f + (2.0 * f * series + e * kLn2Low));
}

double sin_turn(double turns) { return sin_cos_turn(turns).sin; }

double cos_turn(double turns) { return sin_cos_turn(turns).cos; }

double pow(double base, double exponent) {
  if (exponent == 0.0 || base == 1.0) return 1.0;
  return exp(exponent * log(base));
}

}  // namespace linnet::math
