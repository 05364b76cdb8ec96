// SPDX-License-Identifier: Apache-2.0
#pragma once
// Batch-, group- and layer-norm. Letters: N samples, R positions (rows) of a sample, C channels, G groups of
// neighbouring channels. Batch-norm is one sample of all rows with as many groups as channels.
//
// Mean and variance are taken in one pass over memory: f32 sums of d and d^2 with d = x - (first row of a
// tile of 256 rows), merged in f64 about the true mean. So a large mean costs no digits, constant input has
// variance 0, and no sum of one row depends on the width of vectors. The first of 256 values is at most
// sqrt(255) standard deviations from their mean, which bounds the loss at 8 bits.

#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// How x is cut: x is [samples, rows, channels], statistics are [samples, groups].
struct NormShape {
  std::int64_t samples, rows, channels, groups;
  std::int64_t count() const { return rows * (channels / groups); }  ///< values behind one mean
};

/// In f64 whatever the type of x: [N, G].
struct Moments {
  Tensor mean, variance;  ///< the variance divides by count()
};
Moments moments(const Tensor& x, const NormShape& shape);

/// What forward and backward need of the statistics, in f64: [N, G].
struct Normalizer {
  Tensor mean, inv_std;
};
Normalizer normalizer(const Moments& moments, double eps);  ///< inv_std = 1 / sqrt(variance + eps)

/// y = (x - mean) inv_std weight + bias, or relu of that; weight and bias are [C], or both undefined.
Tensor normalize(const Tensor& x, const NormShape& shape, const Normalizer& by, const Tensor& weight,
                 const Tensor& bias, bool relu = false);

struct NormGradients {
  Tensor x, weight, bias;
};
struct NormGradOptions {
  bool fixed_statistics = false;  ///< given from outside: they do not depend on x
  bool relu = false;              ///< of a normalize() that ended with one
  bool want_x = true, want_parameters = true;
  Tensor into = {};  ///< where dx may be written: dy itself, or undefined for a fresh tensor
};
/// With e = dy, or what the relu lets through of it, g = e weight, and means over the values of a group:
///   dweight = sum e xhat, dbias = sum e,
///   dx = inv_std (g - mean(g) - xhat mean(g xhat)), or inv_std g when the statistics are fixed.
/// Without relu, x may be undefined when statistics are fixed and only dx is wanted, and bias always.
NormGradients normalize_grad(const Tensor& x, const Tensor& dy, const NormShape& shape, const Normalizer& by,
                             const Tensor& weight, const Tensor& bias, const NormGradOptions& options);

/// Rows of x [R, n] (or any shape with n elements behind the first axes): y = xhat weight + bias.
/// `kept` [R, 3] is what the gradient needs of each row.
struct RowNorm {
  Tensor y, kept;
};
RowNorm layer_norm(const Tensor& x, std::int64_t n, const Tensor& weight, const Tensor& bias, double eps);
Tensor layer_norm_grad(const Tensor& x, const Tensor& dy, std::int64_t n, const Tensor& weight,
                       const Tensor& kept);
/// Gradients of weight and bias, of shape [n].
NormGradients layer_norm_grad_weight(const Tensor& x, const Tensor& dy, std::int64_t n, const Tensor& kept);

}  // namespace linnet::kernels
