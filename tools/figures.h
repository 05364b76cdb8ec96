// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a subcommand reports: named values in order.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "linnet/train/metric.h"

namespace linnet::tools {

/// nullptr: not known. An estimate is its value in JSON, and "0.9812 +- 0.0014" for people.
using Figure = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, std::vector<float>,
                            train::Estimate>;
using Figures = std::vector<std::pair<std::string, Figure>>;

/// "test_accuracy" of so many samples, or "test_rmse" for the task "regression".
std::pair<std::string, Figure> test_figure(const std::string& task, double value, std::int64_t samples);

/// One JSON object on one line. Bytes that are no UTF-8 are replaced.
std::string as_json(const Figures& figures);
/// A list of such objects on one line.
std::string as_json(const std::vector<Figures>& list);
/// A line "name: value" each.
std::string as_lines(const Figures& figures);

}  // namespace linnet::tools
