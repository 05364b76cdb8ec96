// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory plan: where in one arena the tensors of a model lie, made when the model is exported. Private to
// deploy.

#include <cstdint>
#include <vector>

namespace linnet::deploy {

/// Contents that are needed from step `first` to step `last`, both included: a tensor, several that lie on
/// one another, or what an op scribbles on while it runs.
struct Lifetime {
  int first = 0, last = 0;
  std::int64_t bytes = 0;
};

struct Plan {
  std::vector<std::int64_t> offsets;  ///< multiples of the alignment
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound = 0;  ///< most bytes that live in one step: no plan needs less
};

/// The smallest of several: tensors are placed one after the other, each into a gap between those that live
/// at the same time, the lowest that fits or the tightest. First in four orders (by size, by conflicts, by
/// end and by size times length of life), then in orders that differ from the best so far by one move, drawn
/// from a fixed seed. Ends when the lower bound is met. The same lifetimes give the same plan.
Plan plan_memory(const std::vector<Lifetime>& lifetimes, std::int64_t alignment);

}  // namespace linnet::deploy
