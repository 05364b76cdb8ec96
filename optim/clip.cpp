// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/clip.h"

#include <cmath>

#include "linnet/core/error.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/reduce.h"

namespace linnet::optim {

namespace {

void check_limit(const char* function, const char* argument, double limit) {
  check<ValueError>(std::isfinite(limit) && limit > 0.0, function, ": ", argument, " must be above 0, got ",
                    limit, ".");
}

void check_finite(bool finite, const char* function, const NamedTensor& parameter) {
  check<NumericError>(
      finite, function, ": the gradient of \"", parameter.first,
      "\" is not finite. Try a lower learning rate, and look for log or division of 0 in the loss.");
}

/// Parameters that have a gradient.
NamedTensors reached(const NamedTensors& parameters) {
  NamedTensors found;
  for (const NamedTensor& parameter : parameters)
    if (parameter.second.grad().defined()) found.push_back(parameter);
  return found;
}

}  // namespace

void clip_grad_value_(const NamedTensors& parameters, double limit) {
  check_limit("clip_grad_value_", "limit", limit);
  NamedTensors clipped = reached(parameters);
  for (const NamedTensor& parameter : clipped)
    check_finite(kernels::all_finite(parameter.second.grad()), "clip_grad_value_", parameter);
  for (NamedTensor& parameter : clipped)
    parameter.second.set_grad(kernels::unary(Op::clamp, parameter.second.grad(), -limit, limit));
}

double clip_grad_norm_(const NamedTensors& parameters, double max_norm) {
  check_limit("clip_grad_norm_", "max_norm", max_norm);
  NamedTensors clipped = reached(parameters);
  double squares = 0.0;
  for (const NamedTensor& parameter : clipped) {
    const double part = kernels::sum_of_squares(parameter.second.grad());
    check_finite(std::isfinite(part), "clip_grad_norm_", parameter);
    squares += part;
  }
  const double norm = std::sqrt(squares);
  if (norm > max_norm)
    for (NamedTensor& parameter : clipped)
      parameter.second.set_grad(kernels::scale(parameter.second.grad(), max_norm / norm));
  return norm;
}

}  // namespace linnet::optim
