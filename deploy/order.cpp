// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/order.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace linnet::deploy {
namespace {

constexpr std::size_t kWidth = 64, kReady = 20;
constexpr std::size_t kMostOps = 4096;  // beyond, the search would take minutes

/// Who writes and who reads each value, once each.
struct Uses {
  explicit Uses(const OrderProblem& of) : problem(of), writer(of.bytes.size(), -1), readers(of.bytes.size()) {
    for (std::size_t i = 0; i < problem.ops.size(); ++i) {
      writer[problem.ops[i].writes] = static_cast<int>(i);
      for (int value : problem.ops[i].reads)
        if (readers[value].empty() || readers[value].back() != static_cast<int>(i))
          readers[value].push_back(static_cast<int>(i));
    }
  }
  std::int64_t at_start() const {
    std::int64_t live = 0;
    for (std::size_t value = 0; value < writer.size(); ++value)
      if (writer[value] < 0 && (!readers[value].empty() || static_cast<int>(value) == problem.output))
        live += problem.bytes[value];
    return live;
  }

  const OrderProblem& problem;
  std::vector<int> writer;
  std::vector<std::vector<int>> readers;
};

/// A set of ops that have run, the best way that leads to it and what could run next.
struct Reached {
  std::vector<bool> done;
  std::vector<int> ready;
  std::int64_t live = 0, peak = 0;
  int before = -1;  ///< place in the round before
  int op = -1;      ///< run last
};

bool all_done(const std::vector<int>& ops, const std::vector<bool>& done) {
  return std::all_of(ops.begin(), ops.end(), [&](int op) { return done[op]; });
}

/// Lets `op` run: memory, then what becomes ready.
void run(const Uses& uses, Reached& at, int op) {
  const OrderProblem& problem = uses.problem;
  const OrderedOp& node = problem.ops[op];
  at.done[op] = true;
  at.op = op;
  std::int64_t freed = 0;
  bool onto = false;
  for (std::size_t i = 0; i < node.reads.size(); ++i) {
    const int value = node.reads[i];
    const bool again = std::find(node.reads.begin(), node.reads.begin() + static_cast<std::ptrdiff_t>(i),
                                 value) != node.reads.begin() + static_cast<std::ptrdiff_t>(i);
    if (again || value == problem.output || !all_done(uses.readers[value], at.done)) continue;
    freed += problem.bytes[value];
    onto = onto || (node.in_place && problem.bytes[value] == problem.bytes[node.writes]);
  }
  const std::int64_t written = problem.bytes[node.writes];
  at.peak = std::max(at.peak, at.live + (onto ? 0 : written));
  const bool unread = uses.readers[node.writes].empty() && node.writes != problem.output;
  at.live += (unread ? 0 : written) - freed;

  at.ready.erase(std::find(at.ready.begin(), at.ready.end(), op));
  for (int reader : uses.readers[node.writes]) {
    const std::vector<int>& reads = problem.ops[reader].reads;
    const bool ready = std::all_of(reads.begin(), reads.end(), [&](int value) {
      return uses.writer[value] < 0 || at.done[uses.writer[value]];
    });
    if (ready) at.ready.insert(std::upper_bound(at.ready.begin(), at.ready.end(), reader), reader);
  }
}

Reached start(const Uses& uses) {
  Reached at;
  const OrderProblem& problem = uses.problem;
  at.done.assign(problem.ops.size(), false);
  at.live = at.peak = uses.at_start();
  for (std::size_t i = 0; i < problem.ops.size(); ++i) {
    const std::vector<int>& reads = problem.ops[i].reads;
    if (std::all_of(reads.begin(), reads.end(), [&](int value) { return uses.writer[value] < 0; }))
      at.ready.push_back(static_cast<int>(i));
  }
  return at;
}

/// From each set the sets with one op more; of equal ones the way with the smallest peak.
std::vector<Reached> next_round(const Uses& uses, const std::vector<Reached>& round) {
  std::map<std::vector<bool>, Reached> found;
  for (std::size_t i = 0; i < round.size(); ++i)
    for (std::size_t k = 0; k < std::min(round[i].ready.size(), kReady); ++k) {
      Reached next = round[i];
      next.before = static_cast<int>(i);
      run(uses, next, round[i].ready[k]);
      const auto [known, is_new] = found.try_emplace(next.done, next);
      if (!is_new && next.peak < known->second.peak) known->second = std::move(next);
    }
  std::vector<Reached> best;
  for (auto& entry : found) best.push_back(std::move(entry.second));
  std::stable_sort(best.begin(), best.end(), [](const Reached& a, const Reached& b) {
    return a.peak != b.peak ? a.peak < b.peak : a.live < b.live;
  });
  if (best.size() > kWidth) best.resize(kWidth);
  return best;
}

}  // namespace

std::int64_t peak_of(const OrderProblem& problem, const std::vector<int>& order) {
  const Uses uses(problem);
  Reached at = start(uses);
  for (int op : order) run(uses, at, op);
  return at.peak;
}

std::vector<int> best_order(const OrderProblem& problem) {
  const std::size_t count = problem.ops.size();
  std::vector<int> given(count);
  std::iota(given.begin(), given.end(), 0);
  if (count > kMostOps) return given;

  const Uses uses(problem);
  std::vector<std::vector<std::pair<int, int>>> ways;  // op and place before, of each round
  std::vector<Reached> round{start(uses)};
  const auto peak_at_start = round[0].peak;
  for (std::size_t i = 0; i < count; ++i) {
    round = next_round(uses, round);
    ways.emplace_back();
    for (const Reached& at : round) ways.back().emplace_back(at.op, at.before);
  }
  if (count == 0 || round[0].peak == peak_at_start || round[0].peak >= peak_of(problem, given)) return given;
  std::vector<int> order(count);
  int at = 0;
  for (std::size_t i = count; i-- > 0;) {
    order[i] = ways[i][at].first;
    at = ways[i][at].second;
  }
  return order;
}

}  // namespace linnet::deploy
