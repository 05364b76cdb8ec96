// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/order.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "linnet/core/random.h"
#include "support/check_close.h"

namespace linnet {
namespace {

using deploy::OrderedOp;
using deploy::OrderProblem;

/// Value 0 is an input; op i writes value i + 1 and reads up to three earlier ones.
OrderProblem random_problem(Rng& rng, int ops) {
  OrderProblem problem;
  problem.bytes.push_back(1 + rng.below(100));
  for (int i = 0; i < ops; ++i) {
    OrderedOp op{{}, i + 1, rng.below(2) == 0};
    for (std::int64_t k = 1 + rng.below(3); k > 0; --k)
      op.reads.push_back(static_cast<int>(rng.below(i + 1)));
    problem.ops.push_back(op);
    problem.bytes.push_back(16 * (1 + rng.below(8)));
  }
  problem.output = ops;
  return problem;
}

bool can_run(const OrderProblem& problem, const std::vector<int>& order) {
  std::vector<bool> written(problem.bytes.size(), true);
  for (const OrderedOp& op : problem.ops) written[op.writes] = false;
  for (int op : order) {
    for (int value : problem.ops[op].reads)
      if (!written[value]) return false;
    if (written[problem.ops[op].writes]) return false;
    written[problem.ops[op].writes] = true;
  }
  return order.size() == problem.ops.size();
}

/// By the definition: live from the writing (inputs from the start) to the last reading.
std::int64_t naive_peak(const OrderProblem& problem, const std::vector<int>& order) {
  const int steps = static_cast<int>(order.size());
  std::vector<int> first(problem.bytes.size(), 0), last(problem.bytes.size(), -1);
  for (int step = 0; step < steps; ++step) {
    first[problem.ops[order[step]].writes] = last[problem.ops[order[step]].writes] = step;
    for (int value : problem.ops[order[step]].reads) last[value] = step;
  }
  last[problem.output] = steps;
  std::int64_t most = 0;
  for (int step = 0; step < steps; ++step) {
    const OrderedOp& op = problem.ops[order[step]];
    std::int64_t live = 0;
    for (std::size_t value = 0; value < first.size(); ++value)
      if (first[value] <= step && step <= last[value]) live += problem.bytes[value];
    const bool onto = op.in_place && std::any_of(op.reads.begin(), op.reads.end(), [&](int value) {
                        return last[value] == step && problem.bytes[value] == problem.bytes[op.writes];
                      });
    most = std::max(most, live - (onto ? problem.bytes[op.writes] : 0));
  }
  return most;
}

std::int64_t smallest_peak(const OrderProblem& problem) {
  std::vector<int> order(problem.ops.size());
  std::iota(order.begin(), order.end(), 0);
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  do
    if (can_run(problem, order)) smallest = std::min(smallest, naive_peak(problem, order));
  while (std::next_permutation(order.begin(), order.end()));
  return smallest;
}

TEST_CASE("the order of a small network is the best of all orders") {
  Rng rng(11, 0);
  int improved = 0;
  for (int round = 0; round < 60; ++round) {
    const OrderProblem problem = random_problem(rng, 3 + static_cast<int>(rng.below(5)));
    std::vector<int> given(problem.ops.size());
    std::iota(given.begin(), given.end(), 0);
    const std::vector<int> best = deploy::best_order(problem);
    REQUIRE(can_run(problem, best));
    CHECK(deploy::peak_of(problem, given) == naive_peak(problem, given));
    CHECK(deploy::peak_of(problem, best) == naive_peak(problem, best));
    CHECK(naive_peak(problem, best) == smallest_peak(problem));
    improved += naive_peak(problem, best) < naive_peak(problem, given);
  }
  CHECK(improved > 10);
}

TEST_CASE("the order of a large network can run and needs no more memory than the given one") {
  Rng rng(12, 0);
  for (int round = 0; round < 10; ++round) {
    const OrderProblem problem = random_problem(rng, 60);
    std::vector<int> given(problem.ops.size());
    std::iota(given.begin(), given.end(), 0);
    const std::vector<int> best = deploy::best_order(problem);
    REQUIRE(can_run(problem, best));
    CHECK(naive_peak(problem, best) <= naive_peak(problem, given));
    CHECK(deploy::best_order(problem) == best);
  }
}

TEST_CASE("two branches with large results in between run one after the other") {
  // x 10 -> a 100 -> b 1, x -> c 100 -> d 1, b + d: one large result after the other, not both at once.
  OrderProblem problem{{{{0}, 1}, {{0}, 2}, {{1}, 3}, {{2}, 4}, {{3, 4}, 5}}, {10, 100, 100, 1, 1, 1}, 5};
  CHECK(deploy::peak_of(problem, {0, 1, 2, 3, 4}) == 210);
  CHECK(deploy::peak_of(problem, {0, 2, 1, 3, 4}) == 111);
  CHECK(deploy::peak_of(problem, deploy::best_order(problem)) == 111);
}

TEST_CASE("an order that cannot be bettered stays") {
  OrderProblem chain{{{{0}, 1}, {{1}, 2}, {{2}, 3}}, {10, 20, 30, 40}, 3};
  CHECK(deploy::best_order(chain) == std::vector<int>{0, 1, 2});
  CHECK(deploy::best_order({{}, {10}, 0}).empty());
}

}  // namespace
}  // namespace linnet
