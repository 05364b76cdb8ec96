// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include "linnet/core/error.h"
#include "random_graph_kinds.h"

namespace linnet::test {
namespace {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    std::vector<Kind> list;
    add_elementwise_kinds(list);
    add_layer_kinds(list);
    add_reduction_kinds(list);
    add_move_kinds(list);
    return list;
  }();
  return all;
}

/// x as a tensor of that rank, by a reshape.
Tensor of_rank(const Tensor& x, int rank) {
  if (rank == 0 || x.rank() == rank) return x.rank() >= 2 ? x : flatten(x);
  const std::int64_t size = x.size() / x.dim(0);
  if (rank == 2) return flatten(x);
  std::int64_t a = 1, b = 1;  // size = a b (the rest), odd factors first
  for (std::int64_t f : {3, 5, 2, 7})
    if (a == 1 && size % f == 0) a = f;
  for (std::int64_t f : {2, 3, 5, 7})
    if (b == 1 && rank == 4 && size / a % f == 0) b = f;
  if (rank == 3) return x.reshape({-1, a, size / a});
  return x.reshape({-1, a, b, size / a / b});
}

Tensor apply_step(const GraphStep& step, const Arguments& values) {
  const Kind& kind = kinds()[static_cast<std::size_t>(step.kind)];
  Arguments in;
  for (int value : step.in) in.push_back(of_rank(values[static_cast<std::size_t>(value)], kind.rank));
  return kind.call(step, in);
}

}  // namespace

int step_kinds() { return static_cast<int>(kinds().size()); }
std::string step_name(int kind) { return kinds()[static_cast<std::size_t>(kind)].name; }

Tensor RandomGraph::run(const Tensor& x) const {
  return run(
      x, [](const Tensor& weight) { return weight; }, [](std::size_t, const Tensor& value) { return value; });
}

Tensor RandomGraph::run(const Tensor& x, const std::function<Tensor(const Tensor&)>& weight,
                        const std::function<Tensor(std::size_t, const Tensor&)>& value) const {
  Arguments values{value(0, x)};
  std::vector<bool> read(steps.size() + 1, false);
  for (const GraphStep& step : steps) {
    for (int in : step.in) read[static_cast<std::size_t>(in)] = true;
    GraphStep changed = step;
    const std::string kind = step_name(step.kind);
    const bool weighted = kind.starts_with("conv2d") || kind == "dense" || kind == "lstm" || kind == "gru";
    for (Tensor& w : changed.weights)
      if (weighted && w.rank() >= 2) w = weight(w);
    values.push_back(value(values.size(), apply_step(changed, values)));
  }
  Arguments ends;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!read[i]) ends.push_back(flatten(values[i]));
  return ends.size() == 1 ? ends[0] : concat(ends, 1);
}

std::string RandomGraph::str() const {
  std::string text = concat({"seed ", static_cast<std::int64_t>(seed), ", input ", input, "\n"});
  for (std::size_t k = 0; k < steps.size(); ++k) {
    text += concat({static_cast<std::int64_t>(k + 1), " = ", step_name(steps[k].kind), " of"});
    for (int in : steps[k].in) text += concat({" ", in});
    text += ";";
    for (std::int64_t number : steps[k].numbers) text += concat({" ", number});
    for (const Tensor& weight : steps[k].weights) text += concat({" ", weight.shape()});
    text += "\n";
  }
  return text;
}

RandomGraph random_graph(std::uint64_t seed) {
  constexpr std::int64_t kSteps = 12;
  Draw draw(seed);
  RandomGraph graph;
  graph.seed = seed;
  graph.input = {1, draw.any(3, 9), draw.any(3, 8), draw.any(1, 20)};
  Arguments values{random_tensor(graph.input, seed)};
  for (std::int64_t k = 0; k < kSteps; ++k) {
    GraphStep step;
    // The first three go round all kinds with the seed, so that each has its turn.
    const int turn = static_cast<int>((seed * 3 + static_cast<std::uint64_t>(k)) % kinds().size());
    step.kind = k < 3 ? turn : static_cast<int>(draw.any(0, step_kinds() - 1));
    const Kind& kind = kinds()[static_cast<std::size_t>(step.kind)];
    // Mostly what came last, sometimes an earlier value: a branch.
    const std::int64_t last = static_cast<std::int64_t>(values.size()) - 1;
    step.in = {static_cast<int>(draw.any(0, 2) > 0 ? last : draw.any(0, last))};
    if (kind.arity == 2) {
      std::vector<int> fitting;
      for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i].shape() == values[static_cast<std::size_t>(step.in[0])].shape())
          fitting.push_back(static_cast<int>(i));
      step.in.push_back(
          fitting[static_cast<std::size_t>(draw.any(0, static_cast<std::int64_t>(fitting.size()) - 1))]);
    }
    Arguments in;
    for (int value : step.in) in.push_back(of_rank(values[static_cast<std::size_t>(value)], kind.rank));
    kind.draw(draw, in, step);
    const Tensor y = kind.call(step, in);
    if (y.size() > 6000) continue;  // large enough
    values.push_back(y);
    graph.steps.push_back(std::move(step));
  }
  return graph;
}

bool without_step(const RandomGraph& graph, std::size_t k, RandomGraph& smaller) {
  smaller = graph;
  const int gone = static_cast<int>(k) + 1, instead = graph.steps[k].in[0];
  smaller.steps.erase(smaller.steps.begin() + static_cast<std::ptrdiff_t>(k));
  for (GraphStep& step : smaller.steps)
    for (int& in : step.in) in = in == gone ? instead : in > gone ? in - 1 : in;
  if (smaller.steps.empty()) return false;
  try {
    smaller.run(random_tensor(graph.input, 1));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace linnet::test
