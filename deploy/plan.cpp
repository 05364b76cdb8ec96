// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace linnet::deploy {
namespace {

enum class Fit { lowest, tightest };

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Where `size` bytes go among taken places, which are sorted by offset and may overlap each other.
std::int64_t place(const std::vector<std::pair<std::int64_t, std::int64_t>>& taken, std::int64_t size,
                   Fit fit) {
  std::int64_t end = 0, best = -1, smallest = std::numeric_limits<std::int64_t>::max();
  for (auto [from, to] : taken) {
    std::int64_t gap = from - end;
    if (gap >= size && (best < 0 || (fit == Fit::tightest && gap < smallest))) {
      best = end;
      smallest = gap;
    }
    end = std::max(end, to);
  }
  return best >= 0 ? best : end;
}

Plan greedy(const std::vector<Lifetime>& lifetimes, std::int64_t alignment, Fit fit) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  Plan plan;
  plan.offsets.assign(lifetimes.size(), -1);
  for (std::size_t i : order) {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t j = 0; j < lifetimes.size(); ++j)
      if (plan.offsets[j] >= 0 && meet(lifetimes[i], lifetimes[j]))
        taken.emplace_back(plan.offsets[j], plan.offsets[j] + round_up(lifetimes[j].bytes, alignment));
    std::sort(taken.begin(), taken.end());
    std::int64_t size = round_up(lifetimes[i].bytes, alignment);
    plan.offsets[i] = place(taken, size, fit);
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + size);
  }
  return plan;
}

/// Live bytes only grow where a lifetime starts, so these steps are enough.
std::int64_t most_live(const std::vector<Lifetime>& lifetimes, std::int64_t alignment) {
  std::int64_t most = 0;
  for (const Lifetime& at : lifetimes) {
    std::int64_t live = 0;
    for (const Lifetime& other : lifetimes)
      if (other.first <= at.first && at.first <= other.last) live += round_up(other.bytes, alignment);
    most = std::max(most, live);
  }
  return most;
}

}  // namespace

Plan plan_memory(const std::vector<Lifetime>& lifetimes, std::int64_t alignment) {
  Plan lowest = greedy(lifetimes, alignment, Fit::lowest),
       tightest = greedy(lifetimes, alignment, Fit::tightest);
  Plan& best = tightest.arena_bytes < lowest.arena_bytes ? tightest : lowest;
  best.lower_bound = most_live(lifetimes, alignment);
  return best;
}

}  // namespace linnet::deploy
