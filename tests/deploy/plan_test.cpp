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

/// Step by step and pair by pair: what lives together does not overlap, is aligned and inside the arena.
void check_plan(const std::vector<Lifetime>& lifetimes, const Plan& plan) {
  REQUIRE(plan.offsets.size() == lifetimes.size());
  int steps = 0;
  for (const Lifetime& life : lifetimes) steps = std::max(steps, life.last + 1);
  std::int64_t most = 0;
  for (int step = 0; step < steps; ++step) {
    std::int64_t live = 0;
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      if (step < lifetimes[i].first || step > lifetimes[i].last) continue;
      live += (lifetimes[i].bytes + kAlignment - 1) / kAlignment * kAlignment;
      CHECK(plan.offsets[i] % kAlignment == 0);
      CHECK(plan.offsets[i] >= 0);
      CHECK(plan.offsets[i] + lifetimes[i].bytes <= plan.arena_bytes);
      for (std::size_t j = 0; j < i; ++j) {
        if (step < lifetimes[j].first || step > lifetimes[j].last) continue;
        bool apart = plan.offsets[i] + lifetimes[i].bytes <= plan.offsets[j] ||
                     plan.offsets[j] + lifetimes[j].bytes <= plan.offsets[i];
        CHECK_MESSAGE(apart, "tensors ", i, " and ", j, " overlap at step ", step);
      }
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

TEST_CASE("random branching networks are planned within a tenth of the lower bound on average") {
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
  CHECK(sum / rounds < 1.1);
}

TEST_CASE("nothing to plan needs no memory") {
  Plan plan = deploy::plan_memory({}, kAlignment);
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.lower_bound == 0);
}

}  // namespace
}  // namespace linnet
