// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "linnet/core/random.h"

namespace linnet::deploy {
namespace {

enum class Fit { lowest, tightest };
using Order = std::vector<std::size_t>;

constexpr int kMoves = 10'000;                  // of the search
constexpr std::int64_t kMostWork = 50'000'000;  // pairs of lifetimes that it looks at: about a second

/// Sizes rounded up, and for each lifetime the others that it meets.
struct Problem {
  Problem(const std::vector<Lifetime>& all, std::int64_t alignment) : lifetimes(all), meets(all.size()) {
    for (const Lifetime& life : all) sizes.push_back((life.bytes + alignment - 1) / alignment * alignment);
    Order by_start(all.size());
    std::iota(by_start.begin(), by_start.end(), std::size_t{0});
    std::stable_sort(by_start.begin(), by_start.end(),
                     [&](std::size_t a, std::size_t b) { return all[a].first < all[b].first; });
    for (std::size_t i = 0; i < by_start.size(); ++i)
      for (std::size_t k = i + 1; k < by_start.size() && all[by_start[k]].first <= all[by_start[i]].last;
           ++k) {
        meets[by_start[i]].push_back(by_start[k]);
        meets[by_start[k]].push_back(by_start[i]);
      }
  }

  /// Live bytes only grow where a lifetime starts, so these steps are enough.
  std::int64_t lower_bound() const {
    std::int64_t most = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::int64_t live = sizes[i];
      for (std::size_t other : meets[i])
        if (lifetimes[other].first <= lifetimes[i].first && lifetimes[i].first <= lifetimes[other].last)
          live += sizes[other];
      most = std::max(most, live);
    }
    return most;
  }

  std::int64_t work() const {
    std::int64_t pairs = static_cast<std::int64_t>(sizes.size());
    for (const auto& others : meets) pairs += static_cast<std::int64_t>(others.size());
    return pairs;
  }

  const std::vector<Lifetime>& lifetimes;
  std::vector<std::int64_t> sizes;
  std::vector<std::vector<std::size_t>> meets;
};

using Taken = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// Where `size` bytes go among taken places, which are sorted by offset and may overlap each other.
std::int64_t place(const Taken& taken, std::int64_t size, Fit fit) {
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

Plan place_all(const Problem& problem, const Order& order, Fit fit) {
  Plan plan;
  plan.offsets.assign(order.size(), -1);
  Taken taken;
  for (std::size_t i : order) {
    taken.clear();
    for (std::size_t other : problem.meets[i])
      if (plan.offsets[other] >= 0)
        taken.emplace_back(plan.offsets[other], plan.offsets[other] + problem.sizes[other]);
    std::sort(taken.begin(), taken.end());
    plan.offsets[i] = place(taken, problem.sizes[i], fit);
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + problem.sizes[i]);
  }
  return plan;
}

/// What is placed first: largest keys, and of equal keys the larger ones.
template <class Key>
Order ordered_by(const Problem& problem, Key key) {
  std::vector<std::pair<std::int64_t, std::int64_t>> keys;
  for (std::size_t i = 0; i < problem.sizes.size(); ++i) keys.emplace_back(key(i), problem.sizes[i]);
  Order order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
  return order;
}

std::vector<Order> first_orders(const Problem& problem) {
  const auto& lives = problem.lifetimes;
  return {
      ordered_by(problem, [&](std::size_t i) { return problem.sizes[i]; }),
      ordered_by(problem, [&](std::size_t i) { return static_cast<std::int64_t>(problem.meets[i].size()); }),
      ordered_by(problem, [&](std::size_t i) { return static_cast<std::int64_t>(lives[i].last); }),
      ordered_by(problem,
                 [&](std::size_t i) { return problem.sizes[i] * (lives[i].last - lives[i].first + 1); })};
}

/// The best plan so far and the order that gave it.
struct Best {
  Plan plan;
  Order order;
  Fit fit = Fit::lowest;

  void offer(const Problem& problem, const Order& candidate, Fit by, bool also_equal) {
    Plan made = place_all(problem, candidate, by);
    const bool better = order.empty() || made.arena_bytes < plan.arena_bytes ||
                        (also_equal && made.arena_bytes == plan.arena_bytes);
    if (!better) return;
    plan = std::move(made);
    order = candidate;
    fit = by;
  }
};

/// Moves one tensor to another place in the order, as long as that makes the arena no larger. Most useful is
/// to bring forward what ended on top of the arena.
void climb(const Problem& problem, Best& best, std::int64_t bound) {
  Rng rng(0x706c616e, 0);
  const std::int64_t moves = std::min<std::int64_t>(kMoves, kMostWork / problem.work());
  for (std::int64_t move = 0; move < moves && best.plan.arena_bytes > bound; ++move) {
    Order order = best.order;
    const auto count = static_cast<std::int64_t>(order.size());
    std::int64_t from = rng.below(count);
    if (move % 2 == 0) {
      const auto on_top = std::find_if(order.begin(), order.end(), [&](std::size_t i) {
        return best.plan.offsets[i] + problem.sizes[i] == best.plan.arena_bytes;
      });
      from = on_top - order.begin();
    }
    const std::int64_t to = rng.below(move % 2 == 0 ? from + 1 : count);
    const std::size_t moved = order[from];
    order.erase(order.begin() + from);
    order.insert(order.begin() + to, moved);
    best.offer(problem, order, rng.below(2) ? Fit::lowest : Fit::tightest, true);
  }
}

}  // namespace

Plan plan_memory(const std::vector<Lifetime>& lifetimes, std::int64_t alignment) {
  if (lifetimes.empty()) return {};
  const Problem problem(lifetimes, alignment);
  const std::int64_t bound = problem.lower_bound();
  Best best;
  for (const Order& order : first_orders(problem))
    for (Fit fit : {Fit::lowest, Fit::tightest}) best.offer(problem, order, fit, false);
  climb(problem, best, bound);
  best.plan.lower_bound = bound;
  return std::move(best.plan);
}

}  // namespace linnet::deploy
