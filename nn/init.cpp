// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/init.h"

#include <cmath>
#include <vector>

#include "linnet/core/random.h"

namespace linnet::nn {

namespace init {

namespace {

struct Fans {
  std::int64_t in, out;
};

Fans fans(const char* name, const Shape& shape) {
  check<ShapeError>(shape.rank() >= 2, name, ": a weight has at least two axes, got ", shape,
                    ". Use constant, uniform or normal for others.");
  return {shape.product(1, shape.rank()), shape[0] * shape.product(1, shape.rank() - 1)};
}

Tensor symmetric(const Shape& shape, double bound) { return Tensor::uniform(shape, -bound, bound); }

double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// Makes the `count` rows of length n orthonormal (count <= n): Gram-Schmidt, each row projected twice, which
/// keeps it orthogonal to rounding. All diagonal elements of R are positive, so normal rows give a uniform
/// result.
void orthonormalize(std::vector<double>& rows, std::int64_t count, std::int64_t n) {
  for (std::int64_t i = 0; i < count; ++i) {
    double* row = rows.data() + i * n;
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t j = 0; j < i; ++j) {
        const double* before = rows.data() + j * n;
        const double along = dot(row, before, n);
        for (std::int64_t k = 0; k < n; ++k) row[k] -= along * before[k];
      }
    const double length = std::sqrt(dot(row, row, n));
    for (std::int64_t k = 0; k < n; ++k) row[k] /= length;
  }
}

}  // namespace

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape); }

Tensor glorot_uniform(const Shape& shape) {
  const Fans fan = fans("glorot_uniform", shape);
  return symmetric(shape, std::sqrt(6.0 / static_cast<double>(fan.in + fan.out)));
}

Tensor depthwise_uniform(const Shape& shape) {
  return symmetric(shape, std::sqrt(3.0 / static_cast<double>(fans("depthwise_uniform", shape).in)));
}

Tensor he_uniform(const Shape& shape) {
  return symmetric(shape, std::sqrt(6.0 / static_cast<double>(fans("he_uniform", shape).in)));
}

Tensor he_normal(const Shape& shape) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(fans("he_normal", shape).in));
  return Tensor::randn(shape).mul_(deviation);
}

Tensor orthogonal(const Shape& shape) {
  const std::int64_t columns = fans("orthogonal", shape).in, rows = shape[0];
  const bool wide = rows <= columns;
  const std::int64_t count = wide ? rows : columns, n = wide ? columns : rows;

  std::vector<double> q(static_cast<std::size_t>(count * n));
  Rng random(next_random_key());
  for (double& value : q) value = random.normal();
  orthonormalize(q, count, n);

  Tensor weight = Tensor::empty(shape);
  float* w = weight.mutable_data<float>().data();
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      w[r * columns + c] = static_cast<float>(wide ? q[r * columns + c] : q[c * rows + r]);
  return weight;
}

Initializer constant(double value) {
  check<ValueError>(std::isfinite(value), "constant: the value must be finite, got ", value, ".");
  return [value](const Shape& shape) { return Tensor::full(shape, value); };
}

Initializer uniform(double low, double high) {
  check<ValueError>(std::isfinite(low) && std::isfinite(high) && low < high,
                    "uniform: bounds must be finite and in order, got [", low, ", ", high, ").");
  return [low, high](const Shape& shape) { return Tensor::uniform(shape, low, high); };
}

Initializer normal(double mean, double deviation) {
  check<ValueError>(std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0,
                    "normal: mean and deviation must be finite and the deviation not negative, got ", mean,
                    " and ", deviation, ".");
  return [mean, deviation](const Shape& shape) {
    return Tensor::randn(shape).mul_(deviation).add_(Tensor::full(shape, mean));
  };
}

}  // namespace init

Tensor initial_parameter(const char* layer, const Initializer& initializer, const Shape& shape) {
  check<ValueError>(static_cast<bool>(initializer), layer,
                    ": weight_init is empty. Leave it out for Glorot uniform.");
  Tensor parameter = initializer(shape);
  check<ShapeError>(parameter.shape() == shape, layer, ": weight_init returned the wrong shape: expected ",
                    shape, ", got ", parameter.shape(), ".");
  return parameter.set_requires_grad(true);
}

}  // namespace linnet::nn
