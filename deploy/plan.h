// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory plan: where in one arena the tensors of a model lie, made when the model is exported. Private to
// deploy.

#include <cstdint>
#include <vector>

namespace linnet::deploy {

/// Contents that are needed from step `first` to step `last`, both included.
struct Lifetime {
  int first = 0, last = 0;
  std::int64_t bytes = 0;
};

struct Plan {
  std::vector<std::int64_t> offsets;  ///< multiples of the alignment
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound = 0;  ///< most bytes that live in one step: no plan needs less
};

/// Largest first, each into a gap between those that live at the same time: the lowest that fits or the
/// tightest, whichever ends with the smaller arena. Within a few percent of the lower bound on the networks
/// we know.
Plan plan_memory(const std::vector<Lifetime>& lifetimes, std::int64_t alignment);

}  // namespace linnet::deploy
