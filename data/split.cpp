// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "linnet/core/error.h"
#include "linnet/core/random.h"

namespace linnet::data {
namespace {

void check_share(const char* op, double share) {
  check<ValueError>(share > 0.0 && share < 1.0, op, ": the share to hold out must be between 0 and 1, got ",
                    share, ".");
}

std::int64_t share_of(std::int64_t count, double share) {
  const auto nearest = static_cast<std::int64_t>(std::floor(static_cast<double>(count) * share + 0.5));
  return std::clamp<std::int64_t>(nearest, 1, count - 1);
}

}  // namespace

SplitParts split_by_group(std::span<const std::int64_t> groups, const GroupSplitOptions& options) {
  check_share("split_by_group", options.held_out);
  const std::set<std::int64_t> all(groups.begin(), groups.end());
  check<ValueError>(all.size() >= 2, "split_by_group: expected at least two groups, got ", all.size(), ".");
  std::vector<std::int64_t> order(all.begin(), all.end());
  const auto count = static_cast<std::int64_t>(order.size());
  Rng(RandomKey{.seed = options.seed, .call = 0}).shuffle(order.data(), count);
  const std::set<std::int64_t> held(order.begin(), order.begin() + share_of(count, options.held_out));
  SplitParts parts;
  for (std::size_t i = 0; i < groups.size(); ++i)
    (held.contains(groups[i]) ? parts.held_out : parts.training).push_back(static_cast<std::int64_t>(i));
  return parts;
}

std::vector<std::int64_t> number_groups(std::span<const std::string> names) {
  std::map<std::string, std::int64_t> numbers;
  std::vector<std::int64_t> groups;
  for (const std::string& name : names)
    groups.push_back(numbers.emplace(name, static_cast<std::int64_t>(numbers.size())).first->second);
  return groups;
}

SplitParts split_by_time(const Windows& windows, double held_out) {
  check_share("split_by_time", held_out);
  const std::vector<std::int64_t> groups = windows.groups();
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> rows;  // first and last that windows use
  for (std::int64_t i = 0; i < windows.size(); ++i) {
    const std::pair used{windows.first_row(i), windows.last_row(i)};
    auto& [first, last] = rows.emplace(groups[static_cast<std::size_t>(i)], used).first->second;
    first = std::min(first, used.first);
    last = std::max(last, used.second);
  }
  SplitParts parts;
  for (std::int64_t i = 0; i < windows.size(); ++i) {
    const auto& [first, last] = rows.at(groups[static_cast<std::size_t>(i)]);
    const std::int64_t count = last - first + 1;
    if (count < 2) continue;
    const std::int64_t border = last + 1 - share_of(count, held_out);
    if (windows.last_row(i) < border) parts.training.push_back(i);
    if (windows.first_row(i) >= border) parts.held_out.push_back(i);
  }
  check<ValueError>(!parts.training.empty() && !parts.held_out.empty(), "split_by_time: ", held_out, " of ",
                    windows.size(), " windows leaves ", parts.training.size(), " for training and ",
                    parts.held_out.size(), " held out. Use shorter windows or another share.");
  return parts;
}

}  // namespace linnet::data
