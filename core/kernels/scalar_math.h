// SPDX-License-Identifier: Apache-2.0
#pragma once
// The vocabulary m:: of vec.h for double and float, one element at a time. f64 runs on it (gradient checks;
// no promise about bits), float only as the naive twin that tests compare with.

#include <cmath>

namespace linnet::kernels::scalar::m {

// clang-format off
template <class T> T where(bool condition, T a, T b) { return condition ? a : b; }
template <class T> T abs(T x) { return std::fabs(x); }
template <class T> T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }
template <class T> T max(T a, T b) { return a > b || a != a ? a : b; }
template <class T> T min(T a, T b) { return a < b || a != a ? a : b; }
template <class T> T relu(T x) { return 0 > x ? T(0) : x; }
template <class T> T sqrt(T x) { return std::sqrt(x); }
template <class T> T exp(T x) { return std::exp(x); }
template <class T> T expm1(T x) { return std::expm1(x); }
template <class T> T log(T x) { return std::log(x); }
template <class T> T log1p(T x) { return std::log1p(x); }
template <class T> T tanh(T x) { return std::tanh(x); }
template <class T> T erf(T x) { return std::erf(x); }
template <class T> T sigmoid(T x) { return 1 / (1 + std::exp(-x)); }
template <class T> T pow(T x, T p) { return std::pow(x, p); }
// clang-format on

}  // namespace linnet::kernels::scalar::m
