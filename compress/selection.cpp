// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/selection_impl.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "linnet/core/name_pattern.h"

namespace linnet::compress {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;

/// Channels that go together.
struct Candidate {
  int root = 0;
  double importance = 0.0;
  std::int64_t scored = 0;  ///< rows or scales behind the importance
  int layer = -1;           ///< index of the first of the weights that share channels
};

class Selector {
 public:
  Selector(const Graph& graph, const State& state, const Channels& channels, const StructuredOptions& options)
      : graph_(graph), state_(state), channels_(channels), options_(options) {}

  Selection run() {
    find_weights();
    find_candidates();
    score();
    std::erase_if(candidates_, [](const Candidate& c) { return c.scored == 0; });
    check<ValueError>(!candidates_.empty(),
                      "prune_structured: there is no channel that may go. Outputs, recurrent units and what "
                      "LayerNorm or Softmax looks at stay",
                      options_.criterion == Criterion::batch_norm_scale
                          ? ", and so do channels without a batch-norm behind them."
                          : ".");
    if (options_.scope == Scope::global) make_comparable();
    std::ranges::stable_sort(candidates_, {}, &Candidate::importance);
    count_uses();
    return remove(removals());
  }

 private:
  const std::vector<Axis>& axes(int value) const { return channels_.of[value]; }
  int root(int unit) const { return channels_.units.root(unit); }
  const std::string& name(int value) const { return graph_.values()[value].name; }

  /// Weights with output rows, each once, in the order of the nodes.
  void find_weights() {
    bool matched = false;
    for (const Node& node : graph_.nodes()) {
      const int weight = has_output_rows(node) ? weight_of(graph_, node) : -1;
      if (weight < 0 || std::ranges::find(weights_, weight) != weights_.end()) continue;
      weights_.push_back(weight);
      matched = matched || matches(options_.pattern, name(weight));
    }
    check<ValueError>(matched || weights_.empty(), "prune_structured: the pattern \"", options_.pattern,
                      "\" matches no weight of a Dense or convolution.");
  }

  /// A candidate for every root that is not fixed and has rows, all in layers that match.
  void find_candidates() {
    place_.assign(static_cast<std::size_t>(channels_.units.size()), -1);
    std::vector<bool> stays(place_.size(), false);
    stays[Units::kFixed] = true;
    for (int weight : weights_)
      if (!matches(options_.pattern, name(weight)))
        for (int unit : axes(weight)[0]) stays[root(unit)] = true;
    Units layers;  // places in weights_, plus one
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const int own = layers.add();
      for (int unit : axes(weights_[i])[0]) {
        const int r = root(unit);
        if (stays[r]) continue;
        if (place_[r] < 0) {
          place_[r] = static_cast<int>(candidates_.size());
          candidates_.push_back({.root = r, .layer = own});
        }
        layers.tie(candidates_[place_[r]].layer, own);
      }
    }
    for (Candidate& candidate : candidates_) candidate.layer = layers.root(candidate.layer) - 1;
    layer_of_weight_.clear();
    for (std::size_t i = 0; i < weights_.size(); ++i)
      layer_of_weight_.push_back(layers.root(static_cast<int>(i) + 1) - 1);
  }

  /// Adds |rows| of a tensor to the candidates that its axis 0 belongs to.
  void add_rows(int value) {
    const Tensor values = state_[name(value)].tensor().to(f64);
    const auto all = values.data<double>();
    const Axis& rows = axes(value)[0];
    if (rows.empty()) return;
    const std::size_t length = all.size() / rows.size();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const int place = place_[root(rows[row])];
      if (place < 0) continue;
      double sum = 0.0;
      for (const double v : all.subspan(row * length, length)) sum += std::abs(v);
      check<ValueError>(std::isfinite(sum), "prune_structured: ", name(value), " is not finite.");
      candidates_[place].importance += sum;
      ++candidates_[place].scored;
    }
  }

  void score() {
    if (options_.criterion == Criterion::l1) {
      for (int weight : weights_) add_rows(weight);
      return;
    }
    std::vector<int> scales;
    for (const Node& node : graph_.nodes())
      if (node.op == Op::batch_norm && node.inputs.size() == 5 &&
          graph_.values()[node.inputs[3]].kind == Kind::parameter &&
          std::ranges::find(scales, node.inputs[3]) == scales.end())
        scales.push_back(node.inputs[3]);
    for (int scale : scales) add_rows(scale);
  }

  void make_comparable() {
    std::map<int, std::pair<double, std::int64_t>> sums;
    for (const Candidate& c : candidates_) {
      sums[c.layer].first += c.importance;
      ++sums[c.layer].second;
    }
    for (Candidate& c : candidates_) {
      const auto& sum = sums[c.layer];
      if (options_.criterion == Criterion::batch_norm_scale)
        c.importance /= static_cast<double>(c.scored);
      else if (sum.first > 0.0)
        c.importance *= static_cast<double>(sum.second) / sum.first;
    }
  }

  /// How many candidates of each layer are to go.
  std::map<int, std::int64_t> removals() const {
    std::map<int, std::int64_t> count, gone;
    for (const Candidate& c : candidates_) ++count[c.layer];
    if (options_.scope == Scope::global) {
      auto left = std::llround(options_.sparsity * static_cast<double>(candidates_.size()));
      for (const Candidate& c : candidates_)  // the least important first
        if (left-- > 0) ++gone[c.layer];
    }
    for (const auto& entry : count) {
      const std::int64_t all = entry.second, multiple = options_.multiple;
      std::int64_t& going = gone[entry.first];
      if (options_.scope == Scope::layer) going = std::llround(options_.sparsity * static_cast<double>(all));
      const std::int64_t stay =
          (std::max(all - going, options_.min_channels) + multiple - 1) / multiple * multiple;
      going = std::max<std::int64_t>(all - stay, 0);
    }
    return gone;
  }

  /// Every axis that candidates have places on, and how many of its places may still go.
  void count_uses() {
    uses_.resize(candidates_.size());
    std::ranges::fill(place_, -1);
    for (std::size_t i = 0; i < candidates_.size(); ++i) place_[candidates_[i].root] = static_cast<int>(i);
    for (std::size_t value = 0; value < channels_.of.size(); ++value)
      for (std::size_t axis = 0; axis < channels_.of[value].size(); ++axis) {
        const Axis& places = channels_.of[value][axis];
        const bool rows = axis == 0 && std::ranges::find(weights_, static_cast<int>(value)) != weights_.end();
        const int id = static_cast<int>(spare_.size());
        spare_.push_back(static_cast<std::int64_t>(places.size()) - (rows ? options_.min_channels : 1));
        for (int unit : places) {
          const int place = place_[root(unit)];
          if (place < 0) continue;
          std::vector<Use>& uses = uses_[place];
          if (uses.empty() || uses.back().axis != id) uses.push_back({id, 0});
          ++uses.back().places;
        }
      }
  }

  bool can_go(std::size_t candidate) const {
    return std::ranges::all_of(uses_[candidate],
                               [&](const Use& use) { return spare_[use.axis] >= use.places; });
  }

  Selection remove(std::map<int, std::int64_t> wanted) {
    Selection selection;
    selection.gone.assign(place_.size(), false);
    std::map<int, LayerChannels> layers;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (!wanted.contains(layer_of_weight_[i])) continue;
      std::string& names = layers[layer_of_weight_[i]].name;
      names += (names.empty() ? "" : " + ") + name(weights_[i]);
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Candidate& candidate = candidates_[i];
      LayerChannels& layer = layers[candidate.layer];
      ++layer.before;
      ++layer.after;
      if (wanted[candidate.layer] == 0 || !can_go(i)) continue;
      for (const Use& use : uses_[i]) spare_[use.axis] -= use.places;
      selection.gone[candidate.root] = true;
      --wanted[candidate.layer];
      --layer.after;
    }
    for (auto& entry : layers) selection.layers.push_back(std::move(entry.second));
    return selection;
  }

  /// Places of a candidate on one axis of one value.
  struct Use {
    int axis;
    std::int64_t places;
  };

  const Graph& graph_;
  const State& state_;
  const Channels& channels_;
  const StructuredOptions& options_;
  std::vector<int> weights_;          ///< values
  std::vector<int> layer_of_weight_;  ///< the first of the weights that it shares channels with
  std::vector<Candidate> candidates_;
  std::vector<int> place_;  ///< of a root among the candidates
  std::vector<std::vector<Use>> uses_;
  std::vector<std::int64_t> spare_;
};

void check_options(const StructuredOptions& options) {
  check<ValueError>(options.sparsity >= 0.0 && options.sparsity < 1.0,
                    "prune_structured: sparsity must be in [0, 1), got ", options.sparsity,
                    ". It is the share of channels that go.");
  check<ValueError>(options.min_channels >= 1 && options.multiple >= 1,
                    "prune_structured: min_channels and multiple must be at least 1, got ",
                    options.min_channels, " and ", options.multiple, ".");
}

}  // namespace

Selection select(const Graph& graph, const State& state, const Channels& channels,
                 const StructuredOptions& options) {
  check_options(options);
  return Selector(graph, state, channels, options).run();
}

}  // namespace linnet::compress
