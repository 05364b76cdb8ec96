// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a subcommand reports: named values in order.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace linnet::tools {

/// nullptr: not known.
using Figure = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, std::vector<float>>;
using Figures = std::vector<std::pair<std::string, Figure>>;

/// One JSON object on one line. Bytes that are no UTF-8 are replaced.
std::string as_json(const Figures& figures);
/// A line "name: value" each.
std::string as_lines(const Figures& figures);

}  // namespace linnet::tools
