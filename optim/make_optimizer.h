// SPDX-License-Identifier: Apache-2.0
#pragma once
// Optimizers by name, for command lines and files of settings.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linnet/optim/optimizer.h"

namespace linnet::optim {

/// "sgd" (with momentum 0.9), "adam", "adamw", "amsgrad" (Adam with that option), "nadam", "rmsprop",
/// "adagrad", "lion".
const std::vector<std::string>& optimizer_names();

struct MakeOptimizerOptions {
  std::optional<double> lr = {};            ///< not set: what the optimizer has by default
  std::optional<double> weight_decay = {};  ///< the same
  std::vector<ParameterGroup> groups = {};
};

/// ValueError for an unknown name, listing those there are.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const NamedTensors& parameters,
                                          const MakeOptimizerOptions& options = {});

}  // namespace linnet::optim
