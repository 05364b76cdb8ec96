// SPDX-License-Identifier: Apache-2.0
// dropout: y = x keep / (1 - p); spatial_dropout: one keep for each sample and channel. The mask is a
// function of the generator's seed, the call number and the index, so backward computes it again instead of
// keeping it. gaussian_noise: y = x + stddev n,   dx = dy.
#include <cmath>

#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/random_fill.h"

namespace linnet {
namespace {

State with_p(double p) { return {{"p", p}}; }

/// x; while a graph is recorded, as a result of the op.
Tensor passed_on(Op op, const Tensor& x, double p) {
  if (!tape::recording()) return x;
  return record(
      op, x.view(x.shape()), {x}, [p] { return with_p(p); },
      [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
}

/// y = drop(x, key) in training, x otherwise; drop is linear, so the gradient is drop(dy, key).
template <class Drop>
Tensor dropped(Op op, const Tensor& x, double p, bool training, Drop drop) {
  const char* op_name = name(op).data();
  check_float(op_name, "x", x);
  check<ValueError>(p >= 0.0 && p < 1.0, op_name, ": p must be in [0, 1), got ", p, ".");
  if (!training || p == 0.0) return passed_on(op, x, p);
  RandomKey key = next_random_key();
  return record(
      op, drop(x, key), {x}, [p] { return with_p(p); },
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

Tensor gaussian_noise(const Tensor& x, double stddev, bool training) {
  check_float("gaussian_noise", "x", x);
  check<ValueError>(std::isfinite(stddev) && stddev >= 0.0,
                    "gaussian_noise: stddev must be finite and not negative, got ", stddev, ".");
  if (!training || stddev == 0.0) return passed_on(Op::gaussian_noise, x, stddev);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  kernels::fill_normal(y, next_random_key());
  kernels::scale_in_place(y, stddev);
  kernels::accumulate(y, x);
  return record(
      Op::gaussian_noise, y, {x}, [stddev] { return with_p(stddev); },
      [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
}

}  // namespace linnet
