// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rounding to the numbers of a Quantizer. x is [channels, size]: one quantizer a channel, or one for all.

#include <span>

#include "linnet/core/quantizer.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// y = scale clamp(round(x / scale), low - zero, high - zero), halves to even. NaN stays NaN.
Tensor fake_quant(const Tensor& x, std::span<const Quantizer> by);
/// dx = dy where x is no further than half a step outside the range, else 0. May write to dy's memory.
Tensor fake_quant_grad(const Tensor& x, Tensor dy, std::span<const Quantizer> by);

struct Extent {
  double low = 0.0, high = 0.0;
};
/// Of the numbers of x and 0, without NaN: one for each of `channels` equal parts.
void extents(const Tensor& x, std::span<Extent> channels);

}  // namespace linnet::kernels
