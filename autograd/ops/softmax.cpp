// SPDX-License-Identifier: Apache-2.0
// softmax:     y = e^x / sum e^x,        dx = y (dy - sum(y dy)).
// log_softmax: y = x - log sum e^x,      dx = dy - e^y sum(dy).
#include "linnet/core/kernels/softmax.h"

#include "linnet/autograd/ops/common.h"

namespace linnet {

Tensor softmax(const Tensor& x, int axis) {
  check_float("softmax", "x", x);
  axis = normalize_axis("softmax", axis, x.rank());
  Tensor y = kernels::softmax(x, axis);
  return record(
      Op::softmax, y, {x},
      [=] {
        return State{{"axis", axis}};
      },
      [y = saved(y, needed_by(x)), axis](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::softmax_grad(*y, dy, axis));
      });
}

Tensor log_softmax(const Tensor& x, int axis) {
  check_float("log_softmax", "x", x);
  axis = normalize_axis("log_softmax", axis, x.rank());
  Tensor y = kernels::log_softmax(x, axis);
  return record(
      Op::log_softmax, y, {x},
      [=] {
        return State{{"axis", axis}};
      },
      [y = saved(y, needed_by(x)), axis](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::log_softmax_grad(*y, dy, axis));
      });
}

}  // namespace linnet
