// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementwise kernels on tensors: the rows of core/ops/unary.def and binary.def. Arguments are checked by
// the callers in autograd; results are fresh tensors. f32 runs on the active instruction set, f64 is the
// plain scalar form of the same row.

#include "linnet/core/op.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// y = op(x; p, q).
Tensor unary(Op op, const Tensor& x, double p = 0.0, double q = 0.0);
/// dx = dy * dop/dx. `x` and `y` may be undefined where the row does not need them. `into` is where the
/// result goes, and may be dy itself; undefined for a fresh tensor.
Tensor unary_grad(Op op, const Tensor& x, const Tensor& y, const Tensor& dy, double p = 0.0, double q = 0.0,
                  Tensor into = {});

/// y = op(a, b), broadcast; a and b have the same type.
Tensor binary(Op op, const Tensor& a, const Tensor& b);
/// dy * dop/da (side 0) or dy * dop/db (side 1), in the shape of dy: undoing the broadcast is the engine's
/// work. a and b may be undefined where the row needs neither.
Tensor binary_grad(Op op, int side, const Tensor& a, const Tensor& b, const Tensor& dy);

/// x * factor, for gradients of means and the like.
Tensor scale(const Tensor& x, double factor);
/// x repeated to a larger shape by the broadcast rule.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// y += factor * x; same shape and type.
void accumulate(Tensor& y, const Tensor& x, double factor = 1.0);
/// y *= factor.
void scale_in_place(Tensor& y, double factor);
/// Converted copy; float to integer truncates and saturates, NaN becomes 0.
Tensor convert(const Tensor& x, DType dtype);
/// True when every element is finite (integers always are).
bool all_finite(const Tensor& x);

}  // namespace linnet::kernels
