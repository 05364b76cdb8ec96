// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/plan.h"

#include <algorithm>

#include "linnet/core/random.h"
#include "support/check_close.h"

namespace linnet {
namespace {

using deploy::Lifetime;
using deploy::Plan;

constexpr std::int64_t kAlignment = 16;

/// Runs the plan on an arena whose bytes remember who wrote them last: whoever dies must find all of its own.
/// Also aligned, inside the arena, and the bound is that of every step.
void check_plan(const std::vector<Lifetime>& lifetimes, const Plan& plan) {
  REQUIRE(plan.offsets.size() == lifetimes.size());
  int steps = 0;
  for (const Lifetime& life : lifetimes) steps = std::max(steps, life.last + 1);
  std::vector<int> owner(static_cast<std::size_t>(plan.arena_bytes), -1);
  std::int64_t most = 0;
  for (int step = 0; step < steps; ++step) {
    std::int64_t live = 0;
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      if (step < lifetimes[i].first || step > lifetimes[i].last) continue;
      live += (lifetimes[i].bytes + kAlignment - 1) / kAlignment * kAlignment;
      if (step != lifetimes[i].first) continue;
      REQUIRE(plan.offsets[i] % kAlignment == 0);
      REQUIRE(plan.offsets[i] >= 0);
      REQUIRE(plan.offsets[i] + lifetimes[i].bytes <= plan.arena_bytes);
      std::fill_n(owner.begin() + plan.offsets[i], lifetimes[i].bytes, static_cast<int>(i));
    }
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      if (step != lifetimes[i].last) continue;
      const auto mine = owner.begin() + plan.offsets[i];
      const auto other =
          std::find_if(mine, mine + lifetimes[i].bytes, [&](int who) { return who != static_cast<int>(i); });
      CHECK_MESSAGE(other == mine + lifetimes[i].bytes, "tensor ", i, " lost bytes by step ", step);
    }
    most = std::max(most, live);
  }
  CHECK(plan.lower_bound == most);
  CHECK(plan.arena_bytes >= most);
}

TEST_CASE("no two tensors that live together overlap, for random lifetimes") {
  Rng rng(7, 0);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> lifetimes(static_cast<std::size_t>(1 + rng.below(40)));
    for (Lifetime& life : lifetimes) {
      life.first = static_cast<int>(rng.below(20));
      life.last = life.first + static_cast<int>(rng.below(round % 2 ? 3 : 12));
      life.bytes = 1 + rng.below(1000);
    }
    check_plan(lifetimes, deploy::plan_memory(lifetimes, kAlignment));
  }
}

TEST_CASE("a chain of layers is planned at its lower bound") {
  std::vector<Lifetime> chain;
  const std::int64_t sizes[] = {3136, 86528, 21632, 30976, 6400, 256, 256, 40};
  for (int i = 0; i < 8; ++i) chain.push_back({std::max(i - 1, 0), i, sizes[i]});
  Plan plan = deploy::plan_memory(chain, kAlignment);
  check_plan(chain, plan);
  CHECK(plan.arena_bytes == plan.lower_bound);
  CHECK(plan.arena_bytes == 86528 + 21632);
}

TEST_CASE("random branching networks are planned within a hundredth of the lower bound on average") {
  Rng rng(8, 0);
  double sum = 0.0;
  const int rounds = 200;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Lifetime> lifetimes;
    for (int i = 0; i < 30; ++i) {
      bool residual = rng.below(4) == 0;
      lifetimes.push_back(
          {i, i + 1 + static_cast<int>(residual ? rng.below(4) : 0), 16 * (1 + rng.below(512))});
    }
    Plan plan = deploy::plan_memory(lifetimes, kAlignment);
    check_plan(lifetimes, plan);
    sum += static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.lower_bound);
  }
  CHECK(sum / rounds < 1.01);
}

TEST_CASE("the search over orders finds what no greedy placement does") {
  // Two long lives around short ones: by size, the large ones leave gaps that the others do not fill.
  Rng rng(9, 0);
  int exact = 0;
  const int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Lifetime> lifetimes;
    for (int i = 0; i < 16; ++i)
      lifetimes.push_back(
          {static_cast<int>(rng.below(8)), 8 + static_cast<int>(rng.below(2)), 16 * (1 + rng.below(20))});
    for (Lifetime& life : lifetimes) life.last = life.first + static_cast<int>(rng.below(5));
    const Plan plan = deploy::plan_memory(lifetimes, kAlignment);
    check_plan(lifetimes, plan);
    exact += plan.arena_bytes == plan.lower_bound;
    CHECK(deploy::plan_memory(lifetimes, kAlignment).offsets == plan.offsets);
  }
  CHECK(exact >= 95);
}

TEST_CASE("nothing to plan needs no memory") {
  Plan plan = deploy::plan_memory({}, kAlignment);
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.lower_bound == 0);
}

}  // namespace
}  // namespace linnet
