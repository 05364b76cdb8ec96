// SPDX-License-Identifier: Apache-2.0
// Tensor::str(): NumPy's way of writing arrays.
#include <cstdio>

#include "linnet/core/error.h"
#include "linnet/core/tensor.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

constexpr std::int64_t kMostElements = 1000;

std::string element_text(const TensorImpl& impl, std::int64_t index) {
  return dispatch(impl.dtype, [&](auto zero) -> std::string {
    const auto value = impl.as<decltype(zero)>()[index];
    if constexpr (std::is_integral_v<decltype(zero)>) return std::to_string(value);
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", static_cast<double>(value));
    return buffer;
  });
}

/// How many axes begin (or, counted from the other side, end) at this element.
int axes_beginning_at(const Shape& shape, std::int64_t index) {
  int axes = 0;
  std::int64_t block = 1;
  while (axes < shape.rank() && index % (block *= shape[shape.rank() - 1 - axes]) == 0) ++axes;
  return axes;
}

std::string elements_text(const TensorImpl& impl) {
  const Shape& shape = impl.shape;
  const std::int64_t n = shape.size();
  const auto rank = static_cast<std::size_t>(shape.rank());
  if (n == 0) return "[]";
  std::string text(rank, '[');
  for (std::int64_t i = 0; i < n; ++i) {
    if (i == kMostElements) return text + ", ...";
    const auto opened = static_cast<std::size_t>(axes_beginning_at(shape, i));
    if (i > 0 && opened == 0) text += ", ";
    if (i > 0 && opened > 0)
      text += std::string(opened, ']') + ",\n" + std::string(rank - opened, ' ') + std::string(opened, '[');
    text += element_text(impl, i);
  }
  return text + std::string(rank, ']');
}

}  // namespace

std::string Tensor::str() const {
  check<ValueError>(defined(), "str: this tensor is undefined: it was never given contents.");
  const std::string head = impl_->shape.str() + " " + std::string(name(impl_->dtype));
  return head + (impl_->traced ? " (being traced)" : "\n" + elements_text(*impl()));
}

}  // namespace linnet
