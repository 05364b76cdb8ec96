// SPDX-License-Identifier: Apache-2.0
#include "support/check_close.h"

#include <cstdio>
#include <cstring>

#include "linnet/core/tensor_impl.h"

namespace linnet::test {
namespace {

std::string number(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

std::string index_of(const Shape& shape, std::int64_t flat) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(flat % shape[axis]) + (text.empty() ? "" : ", ") + text;
    flat /= shape[axis];
  }
  return "[" + text + "]";
}

/// How far an element is beyond its bound: error / bound, infinite for a NaN or infinity on one side only.
double excess(double actual, double expected, double bound) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected))) return 0.0;
  const double error = std::abs(actual - expected);
  if (!std::isfinite(error)) return HUGE_VAL;
  if (error <= bound) return 0.0;
  return bound > 0.0 ? error / bound : HUGE_VAL;
}

}  // namespace

Values::Values(const Tensor& tensor) : shape(tensor.shape()) {
  numbers.reserve(static_cast<std::size_t>(tensor.size()));
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (T value : tensor.data<T>()) numbers.push_back(static_cast<double>(value));
  });
}

std::string difference(const Values& actual, const Values& expected, Tolerance tolerance,
                       const Values* scale) {
  if (actual.shape != expected.shape)
    return "shapes differ: " + actual.shape.str() + " and " + expected.shape.str();
  if (scale && scale->shape != expected.shape)
    return "the scale has shape " + scale->shape.str() + ", expected " + expected.shape.str();
  std::size_t off = 0, worst = 0;
  double worst_excess = 0.0, allowed = 0.0;
  for (std::size_t i = 0; i < expected.numbers.size(); ++i) {
    const double size = std::abs(scale ? scale->numbers[i] : expected.numbers[i]);
    const double bound = tolerance.absolute + tolerance.relative * size;
    const double beyond = excess(actual.numbers[i], expected.numbers[i], bound);
    if (beyond > 0.0) ++off;
    if (beyond > worst_excess) worst_excess = beyond, worst = i, allowed = bound;
  }
  if (off == 0) return {};
  const double a = actual.numbers[worst], e = expected.numbers[worst], error = std::abs(a - e);
  return "shape " + expected.shape.str() + ", " + std::to_string(off) + " of " +
         std::to_string(expected.numbers.size()) + " elements differ; worst at " +
         index_of(expected.shape, static_cast<std::int64_t>(worst)) + ": " + number(a) + ", expected " +
         number(e) + ", absolute error " + number(error) + ", relative " + number(error / std::abs(e)) +
         ", allowed " + number(allowed);
}

std::string bit_difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype())
    return concat({"types differ: ", actual.dtype(), " and ", expected.dtype()});
  if (actual.shape() != expected.shape())
    return concat({"shapes differ: ", actual.shape(), " and ", expected.shape()});
  return dispatch(actual.dtype(), [&](auto zero) -> std::string {
    using T = decltype(zero);
    const std::span<const T> a = actual.data<T>(), e = expected.data<T>();
    std::int64_t off = 0, first = 0;
    for (std::int64_t i = actual.size() - 1; i >= 0; --i)
      if (std::memcmp(&a[i], &e[i], sizeof(T)) != 0) ++off, first = i;
    if (off == 0) return {};
    return concat({"shape ", actual.shape(), ", ", off, " of ", actual.size(),
                   " elements have other bits; first at ", index_of(actual.shape(), first), ": ",
                   number(static_cast<double>(a[first])), ", expected ",
                   number(static_cast<double>(e[first]))});
  });
}

std::string throw_difference(const std::string& type, const std::string& expected,
                             const std::string& thrown_type, const std::string& thrown_text) {
  if (thrown_type == type && thrown_text == expected) return {};
  return "threw " + thrown_type + "\n  with     \"" + thrown_text + "\"\n  expected \"" + expected + "\" (" +
         type + ")";
}

void check_empty(const std::string& report, const char* what, const char* file, int line) {
  if (report.empty())
    CHECK(true);  // counted
  else
    ADD_FAIL_CHECK_AT(file, line, what, report);
}

}  // namespace linnet::test
