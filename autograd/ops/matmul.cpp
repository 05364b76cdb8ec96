// SPDX-License-Identifier: Apache-2.0
// matmul: a [N, K] x b [K, M] -> y [N, M].                 da = dy b^T,   db = a^T dy.
// dense:  x [R, in] x weight [out, in] + bias -> [R, out].  dx = dy W,  dW = dy^T x,  dbias = sum of the rows
// of dy.
#include "linnet/core/kernels/matmul.h"

#include "linnet/autograd/fused.h"
#include "linnet/autograd/ops/behind_relu.h"
#include "linnet/core/kernels/reduce.h"

namespace linnet {

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_float("matmul", "a", a);
  check_float("matmul", "b", b);
  check_same_dtype("matmul", "a", a, "b", b);
  check_rank("matmul", "a", a, 2);
  check_rank("matmul", "b", b, 2);
  check<ShapeError>(a.dim(1) == b.dim(0), "matmul: inner sizes differ: ", a.shape(), " x ", b.shape(),
                    ". Transpose one argument?");

  Tensor y = kernels::matmul(a, b);
  return record(Op::matmul, y, {a, b},
                [a = saved(a, needed_by(b)), b = saved(b, needed_by(a))](const Tensor& dy, Grads& grad) {
                  if (grad.wanted(0)) grad.add(0, kernels::matmul(dy, *b, {.transpose_b = true}));
                  if (grad.wanted(1)) grad.add(1, kernels::matmul(*a, dy, {.transpose_a = true}));
                });
}

namespace {

void check_dense(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_float("dense", "x", x);
  check_float("dense", "weight", weight);
  check_same_dtype("dense", "x", x, "weight", weight);
  check_rank("dense", "weight", weight, 2);
  check<ShapeError>(x.rank() >= 1, "dense: x must have at least one axis, got shape [].");
  check<ShapeError>(x.dim(-1) == weight.dim(1), "dense: the last axis of x must have ", weight.dim(1),
                    " elements: x ", x.shape(), ", weight ", weight.shape(), ". Flatten the input first?");
  if (!bias.defined()) return;
  check_same_dtype("dense", "weight", weight, "bias", bias);
  check<ShapeError>(bias.shape() == Shape{weight.dim(0)}, "dense: bias must have shape [", weight.dim(0),
                    "], got ", bias.shape(), ".");
}

/// [..., n] as [rows, n].
Tensor rows_of(const Tensor& t) {
  return t.rank() == 2 ? t : t.view({t.shape().product(0, t.rank() - 1), t.dim(-1)});
}

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias, bool relu) {
  check_dense(x, weight, bias);
  Shape out = x.shape().with(x.rank() - 1, weight.dim(0));
  Tensor y = kernels::dense(rows_of(x), weight, bias, relu);
  if (y.shape() != out) y = y.view(out);

  auto rule = [x = saved_input(x, needed_by(weight)), weight = saved(weight, needed_by(x)),
               y = saved(y, relu), shape = x.shape()](const Tensor& gradient, Grads& grad) {
    Tensor dy = rows_of(behind_relu(*y, gradient));
    if (grad.wanted(0)) grad.add(0, kernels::matmul(dy, *weight).view(shape));
    if (grad.wanted(1)) grad.add(1, kernels::matmul(dy, rows_of(*x), {.transpose_a = true}));
    if (grad.wanted(2)) grad.add(2, kernels::sum(dy, 0));
  };
  if (!bias.defined()) return record(Op::dense, y, {x, weight}, std::move(rule));
  return record(Op::dense, y, {x, weight, bias}, std::move(rule));
}

}  // namespace

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return dense(x, weight, bias, false);
}

Tensor dense_relu(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (tape::recording()) return relu(dense(x, weight, bias));
  return dense(x, weight, bias, true);
}

}  // namespace linnet
