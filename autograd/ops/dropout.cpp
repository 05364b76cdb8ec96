// SPDX-License-Identifier: Apache-2.0
// dropout: y = x keep / (1 - p); spatial_dropout: one keep for each sample and channel. The mask is a
// function of the generator's seed, the call number and the index, so backward computes it again instead of
// keeping it.
#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/random_fill.h"

namespace linnet {
namespace {

/// y = drop(x, key) in training, x otherwise; drop is linear, so the gradient is drop(dy, key).
template <class Drop>
Tensor dropped(Op op, const Tensor& x, double p, bool training, Drop drop) {
  const char* op_name = name(op).data();
  check_float(op_name, "x", x);
  check<ValueError>(p >= 0.0 && p < 1.0, op_name, ": p must be in [0, 1), got ", p, ".");
  auto attributes = [p] { return State{{"p", p}}; };
  if (!training || p == 0.0) {
    if (!tape::recording()) return x;
    return record(op, x.view(x.shape()), {x}, attributes,
                  [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
  }
  RandomKey key = next_random_key();
  return record(op, drop(x, key), {x}, attributes,
                [drop, key](const Tensor& dy, Grads& grad) { grad.add(0, drop(dy, key)); });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) {
  return dropped(Op::dropout, x, p, training,
                 [p](const Tensor& t, RandomKey key) { return kernels::dropout(t, p, key); });
}

Tensor spatial_dropout(const Tensor& x, double p, bool training) {
  check_float("spatial_dropout", "x", x);
  check<ShapeError>(x.rank() >= 2, "spatial_dropout: x must be [N, ..., C], got shape ", x.shape(), ".");
  Shape mask = x.shape();
  for (int axis = 1; axis + 1 < mask.rank(); ++axis) mask = mask.with(axis, 1);
  return dropped(Op::spatial_dropout, x, p, training, [p, mask](const Tensor& t, RandomKey key) {
    return kernels::binary(Op::mul, t, kernels::dropout(Tensor::ones(mask, t.dtype()), p, key));
  });
}

}  // namespace linnet
