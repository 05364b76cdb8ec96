// SPDX-License-Identifier: Apache-2.0
#pragma once
// Comparing numbers and error texts in tests. A failure of CHECK_CLOSE prints the shape, how many elements
// are off, and the worst one with its index, both values, absolute and relative error and what was allowed.

#include <cmath>
#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "linnet/core/tensor.h"

namespace linnet::test {

/// Element i passes when |actual - expected| <= absolute + relative * |expected|. NaN equals NaN only, an
/// infinity equals itself only.
struct Tolerance {
  double absolute = 0.0;
  double relative = 0.0;
};

namespace tol {

inline constexpr double kUlp32 = 0x1p-23;  ///< distance of neighbouring floats in [1, 2)
inline constexpr double kUlp64 = 0x1p-52;

/// The same value; -0 equals 0. Use CHECK_SAME_BITS when the bits count.
inline constexpr Tolerance exact{0.0, 0.0};
/// A few roundings in f32 of values of order one.
inline constexpr Tolerance f32{4 * kUlp32, 4 * kUlp32};
/// A few roundings in f64 of values of order one.
inline constexpr Tolerance f64{16 * kUlp64, 16 * kUlp64};
/// Central differences in f64 (step about 1e-5) against an analytic derivative of order one.
inline constexpr Tolerance grad64{1e-8, 1e-6};
/// Twenty or so steps of training in f64 by two programs.
inline constexpr Tolerance trajectory64{1e-9, 1e-9};

/// A sum of n terms of order one in f32: rounding errors grow as sqrt(n).
inline Tolerance f32_accumulated(std::int64_t n) {
  const double bound = 4 * kUlp32 * std::sqrt(static_cast<double>(n < 1 ? 1 : n));
  return {bound, bound};
}
/// The same in units of the sum of absolute terms: for CHECK_CLOSE_TO_SCALE.
inline Tolerance f32_of_scale(std::int64_t n) {
  return {0.0, 2 * kUlp32 * std::sqrt(static_cast<double>(n < 1 ? 1 : n))};
}

}  // namespace tol

/// Numbers to compare, whatever held them.
struct Values {
  Values(const Tensor& tensor);
  Values(std::floating_point auto number) : numbers{static_cast<double>(number)} {}
  Values(std::integral auto number) : numbers{static_cast<double>(number)} {}
  template <class T>
  Values(std::span<const T> values)
      : shape{static_cast<std::int64_t>(values.size())}, numbers(values.begin(), values.end()) {}
  template <class T>
  Values(std::span<T> values) : Values(std::span<const T>(values)) {}
  template <class T>
  Values(const std::vector<T>& values) : Values(std::span<const T>(values)) {}

  Shape shape;
  std::vector<double> numbers;
};

/// Empty when all elements pass, else the report. `scale`, if given, replaces |expected| in the bound.
std::string difference(const Values& actual, const Values& expected, Tolerance tolerance,
                       const Values* scale = nullptr);

/// Empty when type, shape and every bit agree.
std::string bit_difference(const Tensor& actual, const Tensor& expected);

/// Empty when what was thrown has the type and the text expected, else what happened instead.
std::string throw_difference(const std::string& type, const std::string& expected,
                             const std::string& thrown_type, const std::string& thrown_text);
/// The same of the exception that is being handled.
template <class E>
std::string caught_difference(const char* type, const std::string& expected) {
  try {
    throw;
  } catch (const E& error) {
    return throw_difference(type, expected, type, error.what());
  } catch (const std::exception& error) {
    return throw_difference(type, expected, "another exception", error.what());
  }
}

/// One check of the running test, at a line of its file: passes when the report is empty.
void check_empty(const std::string& report, const char* what, const char* file, int line);

}  // namespace linnet::test

namespace linnet {
namespace tol = test::tol;
}

// Calls and nothing else: the tests hold a thousand of these, and templates in them took longer to compile.
#define LINNET_TEST_CHECK_EMPTY(report, what) ::linnet::test::check_empty(report, what, __FILE__, __LINE__)
#define LINNET_TEST_THROW_REPORT(report, expression, Type, text)           \
  try {                                                                    \
    static_cast<void>(expression);                                         \
    report = ::linnet::test::throw_difference(#Type, text, "nothing", ""); \
  } catch (...) {                                                          \
    report = ::linnet::test::caught_difference<Type>(#Type, text);         \
  }

/// CHECK_CLOSE(y, expected, tol::f32): tensors, vectors, spans or numbers; element types may differ.
#define CHECK_CLOSE(actual, expected, tolerance)                                         \
  LINNET_TEST_CHECK_EMPTY(::linnet::test::difference((actual), (expected), (tolerance)), \
                          #actual " against " #expected ": ")

/// The bound is tolerance.relative * scale[i] + tolerance.absolute, e.g. the sum of absolute terms.
#define CHECK_CLOSE_TO_SCALE(actual, expected, scale, tolerance)                           \
  do {                                                                                     \
    const ::linnet::test::Values linnet_test_scale(scale);                                 \
    LINNET_TEST_CHECK_EMPTY(                                                               \
        ::linnet::test::difference((actual), (expected), (tolerance), &linnet_test_scale), \
        #actual " against " #expected ": ");                                               \
  } while (false)

#define CHECK_SAME_BITS(actual, expected)                                       \
  LINNET_TEST_CHECK_EMPTY(::linnet::test::bit_difference((actual), (expected)), \
                          #actual " against " #expected ": ")

/// CHECK_THROWS_TEXT(matmul(a, b), ShapeError, "matmul: inner sizes differ: ...");
#define CHECK_THROWS_TEXT(expression, Type, text)                        \
  do {                                                                   \
    std::string linnet_test_report;                                      \
    LINNET_TEST_THROW_REPORT(linnet_test_report, expression, Type, text) \
    LINNET_TEST_CHECK_EMPTY(linnet_test_report, #expression ": ");       \
  } while (false)
