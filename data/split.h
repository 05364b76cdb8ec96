// SPDX-License-Identifier: Apache-2.0
#pragma once
// Splits that do not leak: what is held out shares no engine, no subject and no moment with what is trained
// on. Shuffling windows that overlap, or samples of one machine, into both parts makes a figure that no other
// machine will see.
//
//   const auto parts = data::split_by_group(windows.groups(), {.held_out = 0.2});
//   data::Subset training(windows, parts.training), held_out(windows, parts.held_out);

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linnet/data/windows.h"

namespace linnet::data {

/// Indices of samples, ascending.
struct SplitParts {
  std::vector<std::int64_t> training, held_out;
};

struct GroupSplitOptions {
  double held_out = 0.2;   ///< share of the groups, in (0, 1); at least one, and one is left
  std::uint64_t seed = 0;  ///< chooses them, whatever manual_seed() says
};
/// Whole groups: `groups` says for each sample whose it is. ValueError for fewer than two groups.
SplitParts split_by_group(std::span<const std::int64_t> groups, const GroupSplitOptions& options = {});
/// Numbers 0, 1, ... for names, in the order in which they first come.
std::vector<std::int64_t> number_groups(std::span<const std::string> names);

/// The end of time: in every group, windows whose rows all lie in the last share of its rows are held out,
/// those whose rows (that of the target too) all lie before it are for training, and those across the border
/// are in neither. ValueError when a part is empty, or the share is not in (0, 1).
SplitParts split_by_time(const Windows& windows, double held_out = 0.2);

}  // namespace linnet::data
