// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reductions over any set of axes. f32 sums run in 16 lanes in a fixed order on every instruction set; the
// sum of one output element depends on its own inputs only.

#include "linnet/core/shape.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

Tensor sum(const Tensor& x, Axes axes = {}, bool keep_dims = false);
Tensor max(const Tensor& x, Axes axes = {}, bool keep_dims = false);  ///< NaN wins; ShapeError when empty
/// dx for y = max(x, axes): dy goes to the places equal to y, in equal parts. y and dy with axes kept.
Tensor max_grad(const Tensor& x, const Tensor& y, const Tensor& dy);
/// Index of the first maximum along the axis, i64.
Tensor argmax(const Tensor& x, int axis = -1);
/// Sums x over the axes that broadcasting `shape` to x.shape() would repeat.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// Sum of squares in f64, for norms.
double sum_of_squares(const Tensor& x);

}  // namespace linnet::kernels
