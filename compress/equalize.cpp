// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "linnet/compress/correct_impl.h"
#include "linnet/compress/rewrite_impl.h"
#include "linnet/core/constraint.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;

constexpr int kSweeps = 50;
constexpr double kSettled = 1e-3;  ///< of |s - 1|
constexpr double kTiny = 1e-6;     ///< of the largest: a channel that is as good as dead stays as it is

/// The weights of a product or convolution that nobody else reads.
struct ScaledLayer {
  Tensor weight, bias;  ///< shared with the module
  std::int64_t groups = 1;

  std::int64_t rows() const { return weight.dim(0); }
  std::int64_t row_size() const { return weight.size() / rows(); }
  std::int64_t inputs() const { return weight.dim(-1) * groups; }
  /// Channel of the input that element k of row o reads.
  std::int64_t input_of(std::int64_t o, std::int64_t k) const {
    const std::int64_t inner = weight.dim(-1);
    return o / (rows() / groups) * inner + k % inner;
  }
};

struct Chain {
  ScaledLayer from, to;
};

bool is_product(const Node& node) { return node.op == Op::dense || node.op == Op::conv2d; }

/// False unless its weights may be scaled.
bool read_layer(const Links& links, const State& state, const Node& node, ScaledLayer& layer) {
  const Graph& graph = links.graph();
  const int weight = parameter_behind(links, node.inputs[1]);
  if (weight < 0 || !links.only_reader(weight) || !links.only_reader(node.inputs[1])) return false;
  const std::string name = graph.value_name(weight);
  if (state.has(name + std::string(kGroupsEntry))) return false;
  layer.weight = state[name].tensor();
  layer.groups = node.op == Op::conv2d ? node.attributes["groups"].integer() : 1;
  if (node.inputs.size() < 3) return true;
  const graph::Value& bias = graph.values()[static_cast<std::size_t>(node.inputs[2])];
  if (bias.kind != Kind::parameter || !links.only_reader(node.inputs[2])) return false;
  layer.bias = state[bias.name].tensor();
  return true;
}

/// The next layer behind what scaling a channel passes through; nullptr when there is none.
const Node* next_layer(const Links& links, const Node& from, std::int64_t channels) {
  int value = from.output;
  while (const Node* next = links.only_reader(value)) {
    if (is_product(*next)) return next->inputs[0] == value ? next : nullptr;
    const bool mixes_places =
        next->op == Op::max_pool2d || next->op == Op::avg_pool2d || next->op == Op::mean;
    const bool passes = next->op == Op::relu || next->op == Op::leaky_relu || next->op == Op::reshape ||
                        next->op == Op::dropout;
    const auto& in = links.graph().values()[static_cast<std::size_t>(value)].sizes;
    const auto& out = links.graph().values()[static_cast<std::size_t>(next->output)].sizes;
    if (!passes && !(mixes_places && in.back() == channels && out.back() == channels)) return nullptr;
    value = next->output;
  }
  return nullptr;
}

std::vector<Chain> chains_of(const Graph& graph, const State& state) {
  const Links links(graph);
  std::vector<Chain> chains;
  for (const Node& node : graph.nodes()) {
    Chain chain;
    if (!is_product(node) || !read_layer(links, state, node, chain.from)) continue;
    const Node* next = next_layer(links, node, chain.from.rows());
    if (!next || !read_layer(links, state, *next, chain.to)) continue;
    if (chain.to.inputs() % chain.from.rows() == 0) chains.push_back(chain);
  }
  return chains;
}

/// Largest weights of each channel: of the rows of A, and of the columns of B that read it.
std::vector<double> row_ranges(const ScaledLayer& layer) {
  std::vector<double> ranges(static_cast<std::size_t>(layer.rows()), 0.0);
  const auto w = layer.weight.data<float>();
  for (std::size_t i = 0; i < w.size(); ++i) {
    double& range = ranges[i / static_cast<std::size_t>(layer.row_size())];
    range = std::max(range, std::fabs(static_cast<double>(w[i])));
  }
  return ranges;
}

std::vector<double> column_ranges(const ScaledLayer& layer, std::int64_t channels) {
  std::vector<double> ranges(static_cast<std::size_t>(channels), 0.0);
  const auto w = layer.weight.data<float>();
  for (std::int64_t i = 0; i < layer.weight.size(); ++i) {
    const std::int64_t channel = layer.input_of(i / layer.row_size(), i % layer.row_size()) % channels;
    double& range = ranges[static_cast<std::size_t>(channel)];
    range = std::max(range, std::fabs(static_cast<double>(w[static_cast<std::size_t>(i)])));
  }
  return ranges;
}

/// The largest over the smallest, dead channels left out.
double spread(const std::vector<double>& ranges) {
  const double largest = *std::max_element(ranges.begin(), ranges.end());
  double smallest = largest;
  for (double range : ranges)
    if (range > kTiny * largest) smallest = std::min(smallest, range);
  return smallest > 0.0 ? largest / smallest : 1.0;
}

void scale_channels(Chain& chain, const std::vector<double>& s) {
  const auto channels = static_cast<std::int64_t>(s.size());
  const auto from = chain.from.weight.mutable_data<float>(), to = chain.to.weight.mutable_data<float>();
  for (std::size_t i = 0; i < from.size(); ++i)
    from[i] = static_cast<float>(from[i] / s[i / static_cast<std::size_t>(chain.from.row_size())]);
  for (std::int64_t i = 0; i < chain.to.weight.size(); ++i) {
    const std::int64_t channel =
        chain.to.input_of(i / chain.to.row_size(), i % chain.to.row_size()) % channels;
    float& w = to[static_cast<std::size_t>(i)];
    w = static_cast<float>(w * s[static_cast<std::size_t>(channel)]);
  }
  if (!chain.from.bias.defined()) return;
  const auto bias = chain.from.bias.mutable_data<float>();
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] / s[c]);
}

/// How far from 1 the farthest s was.
double equalize(Chain& chain) {
  const std::vector<double> a = row_ranges(chain.from), b = column_ranges(chain.to, chain.from.rows());
  const double most_a = *std::max_element(a.begin(), a.end()), most_b = *std::max_element(b.begin(), b.end());
  std::vector<double> s(a.size(), 1.0);
  double moved = 0.0;
  for (std::size_t c = 0; c < s.size(); ++c) {
    if (a[c] <= kTiny * most_a || b[c] <= kTiny * most_b) continue;
    s[c] = std::sqrt(a[c] / b[c]);
    moved = std::max(moved, std::fabs(s[c] - 1.0));
  }
  scale_channels(chain, s);
  return moved;
}

}  // namespace

std::optional<graph::GraphModule> equalized(const graph::GraphModule& model, double ratio) {
  graph::GraphModule copy(model.graph(), model.state());
  copy.train(model.training());
  std::vector<Chain> chains = chains_of(copy.graph(), copy.state());
  std::erase_if(chains, [ratio](const Chain& chain) {
    return spread(row_ranges(chain.from)) <= ratio &&
           spread(column_ranges(chain.to, chain.from.rows())) <= ratio;
  });
  if (chains.empty()) return std::nullopt;
  double moved = 1.0;
  for (int sweep = 0; sweep < kSweeps && moved > kSettled; ++sweep) {
    moved = 0.0;
    for (Chain& chain : chains) moved = std::max(moved, equalize(chain));
  }
  return copy;
}

}  // namespace linnet::compress
