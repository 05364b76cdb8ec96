// SPDX-License-Identifier: Apache-2.0
#pragma once
// The gradient of an op that ends with a relu. Private to autograd.

#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/elementwise.h"

namespace linnet {

/// What a relu with the result y lets through of dy; dy itself when y is undefined, for there was no relu.
inline Tensor behind_relu(const Tensor& y, const Tensor& dy) {
  if (!y.defined()) return dy;
  Tensor into = in_place_of(dy);
  return kernels::unary_grad(Op::relu, {}, y, dy, 0.0, 0.0, std::move(into));
}

}  // namespace linnet
