// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rows of a table by index. Letters: V rows of D elements.

#include <optional>

#include "linnet/core/tensor.h"

namespace linnet::kernels {

/// indices [...] of i64, i32 or u8, all in 0..V-1; weight [V, D] -> [..., D].
Tensor embedding(const Tensor& indices, const Tensor& weight);
/// dweight[v] = sum of dy at the places that name v, in the order of the places; 0 for the row `skip`.
Tensor embedding_grad(const Tensor& indices, const Tensor& dy, std::int64_t rows,
                      std::optional<std::int64_t> skip);

}  // namespace linnet::kernels
