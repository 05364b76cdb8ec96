// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tensors from counter-based random numbers: element i depends on (key, i) only.

#include "linnet/core/random.h"
#include "linnet/core/tensor.h"

namespace linnet::kernels {

void fill_uniform(Tensor& y, RandomKey key, double low, double high);
void fill_normal(Tensor& y, RandomKey key);
/// y_i = keep_i ? x_i / (1 - p) : 0, keep_i with probability 1 - p from word i of the stream. Linear in x, so
/// the gradient is the same call on dy.
Tensor dropout(const Tensor& x, double p, RandomKey key);

}  // namespace linnet::kernels
