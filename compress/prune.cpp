// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/prune.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "linnet/core/constraint.h"
#include "linnet/core/math.h"
#include "linnet/core/name_pattern.h"

namespace linnet::compress {
namespace {

/// The score of what is pruned already: it goes first.
constexpr double kGone = -1.0;

NamedTensors prunable(const char* what, const std::string& pattern, const nn::Module& module) {
  NamedTensors found;
  for (NamedTensor& named : matching(what, pattern, module.parameters()))
    if (is_float(named.second.dtype()) && named.second.rank() >= 2) found.push_back(std::move(named));
  check<ValueError>(!found.empty(), what, ": what \"", pattern,
                    "\" matches has one axis: no weights to prune.");
  return found;
}

/// Units are elements or blocks of neighbours, row by row.
struct Layer {
  Tensor weight;
  std::int64_t row = 0, block = 1;
  std::vector<double> scores;
  std::vector<bool> gone;

  std::int64_t units_in_row() const { return (row + block - 1) / block; }
};

Layer scored(const NamedTensor& named, std::int64_t block) {
  Layer layer{.weight = named.second, .row = named.second.dim(-1), .block = block, .scores = {}, .gone = {}};
  const Constraint* kept = constraint(layer.weight);
  const Tensor values = layer.weight.detach().to(f64),
               mask = kept && kept->mask.defined() ? kept->mask : Tensor::ones(values.shape(), u8);
  const auto value = values.data<double>();
  const auto stays = mask.data<std::uint8_t>();
  const auto row = static_cast<std::size_t>(layer.row), width = static_cast<std::size_t>(block);
  for (std::size_t first = 0; first < value.size(); first += row)
    for (std::size_t at = first; at < first + row; at += width) {
      const std::size_t end = std::min(at + width, first + row);
      double sum = 0.0;
      bool alive = false;
      for (std::size_t i = at; i < end; ++i) {
        sum += std::abs(value[i]);
        alive = alive || stays[i];
      }
      check<ValueError>(std::isfinite(sum), "prune: ", named.first, " is not finite.");
      layer.scores.push_back(alive ? sum / static_cast<double>(end - at) : kGone);
    }
  layer.gone.assign(layer.scores.size(), false);
  return layer;
}

/// Marks the `count` smallest scores, of equal ones the first.
template <class Gone>
void mark_smallest(std::span<const double> scores, std::int64_t count, Gone gone) {
  if (count <= 0) return;
  std::vector<double> sorted(scores.begin(), scores.end());
  std::nth_element(sorted.begin(), sorted.begin() + (count - 1), sorted.end());
  const double last = sorted[static_cast<std::size_t>(count - 1)];
  std::int64_t equal = count - std::ranges::count_if(scores, [&](double score) { return score < last; });
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] < last || (scores[i] == last && equal-- > 0)) gone(i);
}

std::int64_t share_of(double sparsity, std::size_t units) {
  return std::llround(sparsity * static_cast<double>(units));
}

void choose_in_layer(Layer& layer, const PruneOptions& options) {
  const auto go = [&layer](std::size_t i) { layer.gone[i] = true; };
  if (options.threshold) {
    for (std::size_t i = 0; i < layer.scores.size(); ++i)
      if (layer.scores[i] < *options.threshold) go(i);
  } else if (const std::int64_t of = options.structure.of; of > 0) {
    const auto row = static_cast<std::size_t>(layer.row), width = static_cast<std::size_t>(of);
    for (std::size_t first = 0; first < layer.scores.size(); first += row)
      for (std::size_t at = first; at < first + row; at += width) {
        const std::size_t count = std::min(width, first + row - at);
        mark_smallest(std::span(layer.scores).subspan(at, count),
                      static_cast<std::int64_t>(count) - options.structure.keep,
                      [&go, at](std::size_t i) { go(at + i); });
      }
  } else {
    const auto units = static_cast<std::int64_t>(layer.scores.size());
    mark_smallest(layer.scores, std::min(share_of(options.sparsity, layer.scores.size()), units - 1), go);
  }
}

void choose_globally(std::vector<Layer>& layers, double sparsity) {
  std::vector<double> scores;
  std::vector<std::pair<Layer*, std::size_t>> places;
  for (Layer& layer : layers)
    for (std::size_t i = 0; i < layer.scores.size(); ++i) {
      scores.push_back(layer.scores[i]);
      places.emplace_back(&layer, i);
    }
  mark_smallest(scores, share_of(sparsity, scores.size()),
                [&places](std::size_t i) { places[i].first->gone[places[i].second] = true; });
}

/// The mask grows by what is gone; groups stay.
void mask(const Layer& layer) {
  const Constraint* before = constraint(layer.weight);
  Constraint after = before ? *before : Constraint{};
  after.mask = after.mask.defined() ? after.mask.clone() : Tensor::ones(layer.weight.shape(), u8);
  const auto stays = after.mask.mutable_data<std::uint8_t>();
  const auto row = static_cast<std::size_t>(layer.row), block = static_cast<std::size_t>(layer.block),
             units = static_cast<std::size_t>(layer.units_in_row());
  for (std::size_t i = 0; i < stays.size(); ++i)
    if (layer.gone[i / row * units + i % row / block]) stays[i] = 0;
  set_constraint(layer.weight, after);
}

void check_options(const PruneOptions& options) {
  const Structure& s = options.structure;
  check<ValueError>(options.sparsity >= 0.0 && options.sparsity < 1.0,
                    "prune: sparsity must be in [0, 1), got ", options.sparsity,
                    ". It is the share of weights that are 0.");
  check<ValueError>(s.block >= 1 && (s.of == 0 || (s.keep >= 1 && s.keep < s.of)),
                    "prune: a block must be at least 1 wide and 0 < n < m, got block ", s.block, ", n ",
                    s.keep, ", m ", s.of, ".");
  check<ValueError>(!options.threshold || (std::isfinite(*options.threshold) && *options.threshold >= 0.0),
                    "prune: the threshold must be finite and not negative, got ",
                    options.threshold.value_or(0.0), ".");
  const int given = (options.sparsity > 0.0) + options.threshold.has_value() + (s.of > 0);
  check<ValueError>(given <= 1, "prune: sparsity, threshold and n_of_m exclude each other. Give one.");
  check<ValueError>(s.of == 0 || s.block == 1, "prune: n_of_m and blocks exclude each other. Give one.");
}

}  // namespace

void prune(nn::Module& module, const PruneOptions& options) {
  check_options(options);
  std::vector<Layer> layers;
  for (const NamedTensor& named : prunable("prune", options.pattern, module))
    if (named.second.size() > 0) layers.push_back(scored(named, options.structure.block));
  if (options.scope == Scope::global && !options.threshold && options.structure.of == 0)
    choose_globally(layers, options.sparsity);
  else
    for (Layer& layer : layers) choose_in_layer(layer, options);
  for (const Layer& layer : layers) mask(layer);
}

bool PruningSchedule::due(std::int64_t step) const {
  return step >= begin && (end < 0 || step <= end) && (step - begin) % frequency == 0;
}

double PruningSchedule::sparsity(std::int64_t step) const {
  if (end < 0) return to;
  const double p = end == begin ? 1.0 : static_cast<double>(step - begin) / static_cast<double>(end - begin);
  return to + (from - to) * math::pow(1.0 - std::clamp(p, 0.0, 1.0), power);
}

PruningSchedule constant_sparsity(double sparsity, std::int64_t begin, std::int64_t end,
                                  std::int64_t frequency) {
  return {.from = sparsity, .to = sparsity, .begin = begin, .end = end, .frequency = frequency};
}

PruningSchedule polynomial_decay(double from, double to, std::int64_t begin, std::int64_t end,
                                 std::int64_t frequency, double power) {
  return {.from = from, .to = to, .begin = begin, .end = end, .frequency = frequency, .power = power};
}

Pruner::Pruner(nn::Module& module, const PruningSchedule& schedule, const PruneOptions& options)
    : module_(&module), schedule_(schedule), options_(options) {
  const PruningSchedule& s = schedule_;
  check<ValueError>(s.from >= 0.0 && s.from < 1.0 && s.to >= 0.0 && s.to < 1.0,
                    "Pruner: sparsities must be in [0, 1), got ", s.from, " and ", s.to, ".");
  check<ValueError>(s.begin >= 0 && (s.end == -1 || s.end >= s.begin) && s.frequency >= 1,
                    "Pruner: steps must be 0 <= begin <= end, or end -1, and the frequency at least 1, got ",
                    s.begin, ", ", s.end, " and ", s.frequency, ".");
  check<ValueError>(std::isfinite(s.power) && s.power > 0.0, "Pruner: the power must be above 0, got ",
                    s.power, ".");
  check<ValueError>(!options_.threshold && options_.structure.of == 0,
                    "Pruner: a schedule sets the sparsity: it takes neither a threshold nor n_of_m.");
  options_.sparsity = s.to;
  check_options(options_);
  prunable("Pruner", options_.pattern, module);
}

void Pruner::operator()(std::int64_t step) const {
  if (!schedule_.due(step)) return;
  PruneOptions now = options_;
  now.sparsity = schedule_.sparsity(step);
  prune(*module_, now);
}

void make_permanent(nn::Module& module) {
  for (const NamedTensor& named : module.parameters())
    if (constraint(named.second)) set_constraint(named.second, {});
}

SparsityReport sparsity(const nn::Module& module, const std::string& pattern) {
  SparsityReport report{.layers = {}, .total = {.name = "all"}};
  for (const auto& [name, parameter] : prunable("sparsity", pattern, module)) {
    LayerSparsity layer{.name = name, .elements = parameter.size()};
    const Tensor values = parameter.detach().to(f64);
    layer.zeros = std::ranges::count(values.data<double>(), 0.0);
    const Constraint* kept = constraint(parameter);
    layer.masked = kept && kept->mask.defined();
    report.total.elements += layer.elements;
    report.total.zeros += layer.zeros;
    report.total.masked = report.total.masked || layer.masked;
    report.layers.push_back(std::move(layer));
  }
  return report;
}

std::string SparsityReport::str() const {
  std::string text;
  const auto add = [&text](const LayerSparsity& layer) {
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.1f", 100.0 * layer.share());
    text += concat({layer.name, ": ", layer.zeros, " of ", layer.elements, " are 0 (", percent, " %)",
                    layer.masked ? ", masked\n" : "\n"});
  };
  for (const LayerSparsity& layer : layers) add(layer);
  add(total);
  return text;
}

}  // namespace linnet::compress
