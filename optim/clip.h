// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gradient clipping, between backward() and step(). Parameters without a gradient are skipped; when anything
// is refused, no gradient has changed.

#include "linnet/core/state.h"

namespace linnet::optim {

/// Limits every element of every gradient to [-limit, limit].
/// ValueError unless limit is above 0; NumericError naming the parameter when a gradient is not finite.
void clip_grad_value_(const NamedTensors& parameters, double limit);

/// Scales all gradients by max_norm / norm when their common norm, the root of the sum of the squares of all
/// elements, is larger than max_norm. Returns the norm before. Errors as above.
double clip_grad_norm_(const NamedTensors& parameters, double max_norm);

}  // namespace linnet::optim
