// SPDX-License-Identifier: Apache-2.0
// dropout: y = x keep / (1 - p). The mask is a function of the generator's seed, the call number and the
// index, so backward computes it again instead of keeping it.
#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/random_fill.h"

namespace linnet {

Tensor dropout(const Tensor& x, double p, bool training) {
  check_float("dropout", "x", x);
  check<ValueError>(p >= 0.0 && p < 1.0, "dropout: p must be in [0, 1), got ", p, ".");
  auto attributes = [p] { return State{{"p", p}}; };
  if (!training || p == 0.0) {
    if (!tape::recording()) return x;
    return record(Op::dropout, x.view(x.shape()), {x}, attributes,
                  [](const Tensor& dy, Grads& grad) { grad.add(0, dy); });
  }
  RandomKey key = next_random_key();
  return record(Op::dropout, kernels::dropout(x, p, key), {x}, attributes,
                [p, key](const Tensor& dy, Grads& grad) { grad.add(0, kernels::dropout(dy, p, key)); });
}

}  // namespace linnet
