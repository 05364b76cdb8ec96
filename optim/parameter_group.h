// SPDX-License-Identifier: Apache-2.0
#pragma once
// Settings of an optimizer for some of its parameters, chosen by name.
//
//   optim::AdamW adamw(model.parameters(),
//                      {.lr = 1e-3, .groups = {{.pattern = "backbone.*", .lr = 1e-4},
//                                              {.pattern = "*.bias", .weight_decay = 0.0}}});

#include <optional>
#include <string>

namespace linnet::optim {

/// What is not set is the optimizer's. Where several patterns match a parameter, all are applied, and what a
/// later one sets counts; frozen by any is frozen. A schedule multiplies these learning rates too.
struct ParameterGroup {
  std::string pattern;  ///< of names, as in core/name_pattern.h
  std::optional<double> lr = {};
  std::optional<double> weight_decay = {};
  bool frozen = false;  ///< as by Module::freeze(), but for statistics: requires no gradient
};

}  // namespace linnet::optim
