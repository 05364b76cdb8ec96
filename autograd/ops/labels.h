// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checks of logits and labels that several losses share. Private to autograd.

#include "linnet/core/tensor.h"

namespace linnet {

/// logits [..., C] with at least one row, labels [...] of i64, i32 or u8 in 0..C-1; errors name the op.
void check_label_rows(const char* op, const Tensor& logits, const Tensor& target);

}  // namespace linnet
