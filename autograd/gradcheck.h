// SPDX-License-Identifier: Apache-2.0
#pragma once
// gradcheck: compares gradients with central differences. Part of the library, for users' own ops too.

#include <functional>
#include <string>
#include <vector>

#include "linnet/core/tensor.h"

namespace linnet {

struct GradcheckOptions {
  double step = 1e-6;      ///< h in (f(x + h) - f(x - h)) / 2h
  double absolute = 1e-6;  ///< allowed: absolute + relative * |numeric| + rounding of the sums
  double relative = 1e-5;
};

struct GradcheckResult {
  bool ok = true;
  std::string report;  ///< the worst element: input, index, both values; empty when ok
  double worst = 0.0;  ///< largest |analytic - numeric| / allowed
  explicit operator bool() const { return ok; }
};

/// `function` maps the inputs to a tensor of any shape; it is reduced with fixed random weights so that one
/// backward checks all outputs. Inputs are f64 (DTypeError otherwise) and are checked one by one where they
/// require a gradient; contents, gradients and the generator are left as they were.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          std::vector<Tensor> inputs, const GradcheckOptions& options = {});

}  // namespace linnet
