// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks of convolutions in both directions. Private to autograd.

#include "linnet/autograd/ops/common.h"

namespace linnet {

/// x [N, H, W, C], weight [O, kh, kw, C/groups], bias [O] or undefined.
inline void check_convolution(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                              std::int64_t groups) {
  check_float(op, "x", x);
  check_float(op, "weight", weight);
  check_same_dtype(op, "x", x, "weight", weight);
  check_rank(op, "x", x, 4);
  check_rank(op, "weight", weight, 4);
  const std::int64_t channels = x.dim(3), filters = weight.dim(0);
  check<ValueError>(groups >= 1 && channels % groups == 0 && filters % groups == 0, op,
                    ": groups must divide ", channels, " input and ", filters, " output channels, got ",
                    groups, ".");
  check<ShapeError>(weight.dim(3) * groups == channels, op, ": x ", x.shape(), " has ", channels,
                    " channels, weight ", weight.shape(), " with ", groups, " group(s) expects ",
                    weight.dim(3) * groups, ". Images are [N, H, W, C], weights [O, kh, kw, C/groups].");
  if (!bias.defined()) return;
  check_same_dtype(op, "weight", weight, "bias", bias);
  check<ShapeError>(bias.shape() == Shape{filters}, op, ": bias must have shape [", filters, "], got ",
                    bias.shape(), ".");
}

}  // namespace linnet
