// SPDX-License-Identifier: Apache-2.0
#pragma once
// The running order of ops that branch: which of those that are ready runs next decides how many intermediate
// results live at the same time. Private to deploy.

#include <cstdint>
#include <vector>

namespace linnet::deploy {

/// Values are numbered; those that no op writes live from the beginning.
struct OrderedOp {
  std::vector<int> reads;  ///< values; constants are left out
  int writes = -1;
  bool in_place = false;  ///< may write onto a value of the same size that it reads last
};

struct OrderProblem {
  std::vector<OrderedOp> ops;       ///< in an order in which they can run
  std::vector<std::int64_t> bytes;  ///< by value
  int output = -1;                  ///< lives until the end
};

/// Most bytes that live in one step when the ops run in this order.
std::int64_t peak_of(const OrderProblem& problem, const std::vector<int>& order);

/// An order with a smaller peak than the given one, if it is found; else 0, 1, 2, ...
/// Dynamic programming over the sets of ops that have run, one more in each round: of the sets of a round the
/// kWidth with the smallest peak go on, and from each the first kReady ops that are ready. Exact where a
/// round has no more than that, which networks of a few branches do not.
std::vector<int> best_order(const OrderProblem& problem);

}  // namespace linnet::deploy
