// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics: functions of (prediction, target) for one batch. The Trainer averages them over samples.

#include <functional>
#include <string>

#include "linnet/core/tensor.h"

namespace linnet {

/// Share of rows whose largest logit is at the label. prediction [..., C]; target: labels [...] or soft
/// labels [..., C].
double accuracy(const Tensor& prediction, const Tensor& target);

namespace train {

/// A function with the name under which it is shown. Those of Linnet know their names:
/// `.metrics = {accuracy, {"my_score", my_score}}`.
struct Metric {
  using Function = std::function<double(const Tensor&, const Tensor&)>;
  Metric(double (*function)(const Tensor&, const Tensor&));
  Metric(std::string metric_name, Function metric_function)
      : name(std::move(metric_name)), function(std::move(metric_function)) {}

  std::string name;
  Function function;
};

}  // namespace train
}  // namespace linnet
