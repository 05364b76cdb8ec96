// SPDX-License-Identifier: Apache-2.0
#pragma once
// Weights of terms from weights of samples. Private to nn.

#include "linnet/core/tensor.h"

namespace linnet::nn {

/// ValueError unless all weights are finite and not negative. `what` starts the message.
void check_not_negative(const char* what, const Tensor& weights_f64);

/// What each of the terms is multiplied by so that their plain mean is the weighted one: u_i n / sum(u), for
/// sample weights u of the first axes of `terms`, repeated over the others. 0 when all u are; undefined when
/// u is.
Tensor term_weights(const char* loss, const Tensor& sample_weights, const Shape& terms, DType dtype);

}  // namespace linnet::nn
