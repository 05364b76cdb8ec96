// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/loss_weights.h"

#include <algorithm>
#include <cmath>

#include "linnet/core/error.h"

namespace linnet::nn {
namespace {

bool fits(const Shape& weights, const Shape& terms) {
  if (weights.rank() > terms.rank()) return false;
  for (int axis = 0; axis < weights.rank(); ++axis)
    if (weights[axis] != terms[axis]) return false;
  return true;
}

}  // namespace

void check_not_negative(const char* what, const Tensor& weights) {
  for (const double weight : weights.data<double>())
    check<ValueError>(std::isfinite(weight) && weight >= 0.0, what, " must be finite and not negative, got ",
                      weight, ".");
}

Tensor term_weights(const char* loss, const Tensor& sample_weights, const Shape& terms, DType dtype) {
  if (!sample_weights.defined()) return {};
  check<ShapeError>(terms.size() > 0, loss, ": no elements in shape ", terms, ". Leave empty batches out.");
  check<ShapeError>(sample_weights.rank() >= 1 && fits(sample_weights.shape(), terms), loss,
                    ": sample_weights ", sample_weights.shape(), " do not fit the terms ", terms,
                    ". Give one weight a sample: [", terms.rank() > 0 ? terms[0] : 1, "].");
  const Tensor given = sample_weights.to(f64);
  check_not_negative(concat({loss, ": sample_weights"}).c_str(), given);
  double total = 0.0;
  for (const double u : given.data<double>()) total += u;
  const double scale = total > 0.0 ? static_cast<double>(given.size()) / total : 0.0;

  Tensor factors = Tensor::empty(terms, dtype);
  const std::int64_t repeat = terms.size() / given.size();
  dispatch_float("sample_weights", dtype, [&](auto zero) {
    using T = decltype(zero);
    auto to = factors.mutable_data<T>();
    for (std::int64_t i = 0; i < given.size(); ++i)
      std::fill_n(to.begin() + i * repeat, repeat, static_cast<T>(given.data<double>()[i] * scale));
  });
  return factors;
}

}  // namespace linnet::nn
