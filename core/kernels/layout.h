// SPDX-License-Identifier: Apache-2.0
#pragma once
// Moving elements without computing: any element type.

#include <span>

#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// Axis i of the result is axis order[i] of x.
Tensor transpose(const Tensor& x, std::span<const int> order);
/// Elements begin, begin + step, ... below end of one axis (all in range, step >= 1).
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step);
/// dy put back at its places in a tensor of zeros of shape x.
Tensor slice_grad(const Tensor& dy, const Shape& x, int axis, std::int64_t begin, std::int64_t step);
Tensor concat(std::span<const Tensor> parts, int axis);
/// before[i] and after[i] elements of `value` around axis i.
Tensor pad(const Tensor& x, std::span<const std::int64_t> before, std::span<const std::int64_t> after,
           double value);
/// The inside of a padded tensor.
Tensor unpad(const Tensor& y, const Shape& x, std::span<const std::int64_t> before);
/// Rows (entries of axis 0) picked by index, for batches and embeddings; indices already checked.
Tensor gather_rows(const Tensor& x, std::span<const std::int64_t> rows);

}  // namespace linnet::kernels
