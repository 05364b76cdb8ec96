// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "linnet/compress/assemble_impl.h"
#include "linnet/compress/calibrate_impl.h"
#include "linnet/compress/correct_impl.h"
#include "linnet/compress/evaluate.h"
#include "linnet/core/name_pattern.h"

namespace linnet::compress {
namespace {

using graph::GraphModule;

constexpr std::int64_t kFewSamples = 100;
constexpr std::int64_t kSqnrSamples = 64;

GraphModule copy_of(const GraphModule& model) {
  GraphModule copy(model.graph(), model.state());
  copy.eval();
  return copy;
}

/// What a model is worth on the samples held out.
class Judge {
 public:
  Judge(GraphModule& clean, const data::Dataset& dataset, QuantizeNotes& notes)
      : dataset_(dataset), notes_(notes), clean_outputs_(outputs_of(clean, dataset)) {
    const std::int64_t first[] = {0};
    labelled_ = dataset.batch(first).y.defined();
    notes.float_score.value = std::numeric_limits<double>::quiet_NaN();
    if (!labelled_) return;
    const Scores scores = evaluate(clean, dataset);
    notes.regression = scores.regression;
    notes.float_score.value = scores.value().value;
  }

  /// The one function that says what a setting is worth: by the integers of the exported file, run by the
  /// runtime, or by simulation where deploy has no integer form of the graph.
  QuantizeScore score(GraphModule& model) {
    QuantizeScore score{.value = std::numeric_limits<double>::quiet_NaN()};
    const Tensor outputs = outputs_of(model, dataset_);
    score.noise = distance(clean_outputs_, outputs).noise / static_cast<double>(outputs.size());
    if (!labelled_) return score;
    const std::optional<deploy::Image> image = exported(model);
    score.value = (image ? evaluate(*image, dataset_) : simulate(model, dataset_)).value().value;
    return score;
  }

  bool gains(const QuantizeScore& a, const QuantizeScore& b) const {
    if (!labelled_) return a.noise < b.noise;
    return notes_.regression ? a.value < b.value : a.value > b.value;
  }
  /// Of equals the one with less noise.
  bool better(const QuantizeScore& a, const QuantizeScore& b) const {
    return gains(a, b) || (!gains(b, a) && a.noise < b.noise);
  }

 private:
  /// All settings are measured in one way, that of the first.
  std::optional<deploy::Image> exported(const GraphModule& model) {
    if (exports_ && !*exports_) return {};
    try {
      deploy::Image image = deploy::build(model.graph(), model.state(), {.golden_cases = 0});
      exports_ = notes_.integer_engine = true;
      return image;
    } catch (const GraphError&) {
      if (exports_) throw;
      exports_ = false;
      return {};
    }
  }

  const data::Dataset& dataset_;
  QuantizeNotes& notes_;
  Tensor clean_outputs_;
  bool labelled_ = false;
  std::optional<bool> exports_;
};

/// A way to quantize, and what came of it.
struct Trial {
  GraphModule base;  ///< in float
  RangeRule rule;
  GraphModule model;
  QuantizeScore score;
  std::size_t candidate;  ///< in the notes
};

class Search {
 public:
  Search(const GraphModule& model, const QuantizeOptions& options, QuantizeNotes& notes)
      : options_(options), notes_(notes), model_(copy_of(model)) {
    notes_ = {.mode = options.mode, .seed = options.seed};
    draw();
  }

  GraphModule run() {
    GraphModule base = fold_batch_norm(model_);
    if (!calibration_) return finish(quantized(base, options_.keep_float, {}, RangeRule::min_max));
    judge_.emplace(model_, *held_out_, notes_);
    Trial best = best_rule(std::move(base), "");
    if (options_.mode != QuantMode::float16_weights) {
      if (options_.equalize) try_equalized(best);
      if (options_.correct_bias) try_corrected(best);
      if (options_.sensitive > 0) try_float_layers(best);
    }
    notes_.score = best.score;
    notes_.candidates[best.candidate].taken = true;
    if (options_.mode == QuantMode::int8) notes_.rule = name(best.rule);
    return finish(std::move(best.model));
  }

 private:
  void draw() {
    const data::Dataset* all = options_.calibrate.dataset;
    if (!all) return;
    const std::vector<std::int64_t> seen = draw_samples(*all, options_.samples, options_.seed);
    const auto count = static_cast<std::int64_t>(seen.size());
    if (count < kFewSamples)
      notes_.warnings.push_back(
          concat({"ranges come from ", count, " samples. ", kFewSamples, " or more are safer"}));
    const bool own = options_.held_out.dataset != nullptr;
    const data::Dataset& judged = own ? *options_.held_out.dataset : *all;
    std::vector<std::int64_t> held_out =
        draw_samples(judged, options_.held_out_samples, options_.seed, own ? 0 : count);
    if (held_out.empty()) {
      held_out = seen;
      notes_.warnings.push_back("no samples are left to judge by: those of the ranges are used");
    }
    notes_.samples = count;
    notes_.held_out_samples = static_cast<std::int64_t>(held_out.size());
    calibration_.emplace(*all, seen);
    held_out_.emplace(judged, std::move(held_out));
  }

  PlacementOptions placement_options(const std::vector<std::string>& keep, const State& state) const {
    return {.mode = options_.mode,
            .weight_bits = weight_bits_of(options_.mode),
            .keep_float = keep,
            .one_range = has_groups(state)};
  }

  GraphModule quantized(const GraphModule& base, const std::vector<std::string>& keep,
                        const std::map<int, Histogram>& seen, RangeRule rule) const {
    if (options_.mode == QuantMode::float16_weights) return rounded_to_half(base);
    const State state = base.state();
    const Placement placement = place_fake_quant(base.graph(), placement_options(keep, state));
    check<GraphError>(!placement.layers.empty(),
                      "quantize: the model has no weights that could be quantized.");
    return assemble(base, placement, weight_bits_of(options_.mode), seen, rule);
  }

  std::map<int, Histogram> seen_of(GraphModule& base, const std::vector<std::string>& keep) const {
    if (options_.mode != QuantMode::int8) return {};
    const State state = base.state();
    const std::vector<int> values =
        observed_values(place_fake_quant(base.graph(), placement_options(keep, state)));
    return observe(base, values, *calibration_);
  }

  QuantizeScore judged(GraphModule& model, const std::string& setting, std::size_t& candidate) {
    const QuantizeScore score = judge_->score(model);
    candidate = notes_.candidates.size();
    notes_.candidates.push_back({setting.empty() ? name(options_.mode) : setting, score});
    return score;
  }

  Trial best_rule(GraphModule base, const std::string& what) {
    const std::map<int, Histogram> seen = seen_of(base, options_.keep_float);
    const bool ranges = options_.mode == QuantMode::int8;
    std::optional<Trial> best;
    for (RangeRule rule : ranges ? options_.rules : std::vector{RangeRule::min_max}) {
      GraphModule model = quantized(base, options_.keep_float, seen, rule);
      std::size_t candidate = 0;
      const std::string setting = setting_of(rule, what);
      const QuantizeScore score = judged(model, setting, candidate);
      if (best && !judge_->better(score, best->score)) continue;
      best.emplace(Trial{copy_of(base), rule, std::move(model), score, candidate});
    }
    return std::move(*best);
  }

  std::string setting_of(RangeRule rule, const std::string& what) const {
    const std::string first = options_.mode == QuantMode::int8 ? name(rule) : name(options_.mode);
    return what.empty() ? first : first + ", " + what;
  }

  void try_equalized(Trial& best) {
    std::optional<GraphModule> base = equalized(best.base);
    if (!base) return;
    Trial trial = best_rule(std::move(*base), "equalised");
    notes_.equalized = judge_->gains(trial.score, best.score);
    if (notes_.equalized) best = std::move(trial);
  }

  void try_corrected(Trial& best) {
    GraphModule model = with_corrected_biases(best.base, best.model, *calibration_);
    std::size_t candidate = 0;
    const QuantizeScore score =
        judged(model, notes_.candidates[best.candidate].setting + ", biases corrected", candidate);
    notes_.bias_corrected = judge_->gains(score, best.score);
    if (!notes_.bias_corrected) return;
    best.model = std::move(model);
    best.score = score;
    best.candidate = candidate;
  }

  /// How far the outputs are from those of the float model when one layer alone is quantized.
  void scan(Trial& best) {
    const State state = best.base.state();
    std::vector<Placement> placements;
    std::vector<int> values;
    const std::vector<std::string> layers = layers_of(best.base.graph());
    for (const std::string& layer : layers) {
      PlacementOptions options = placement_options(options_.keep_float, state);
      options.only = [layer](const std::string& other) { return other == layer; };
      placements.push_back(place_fake_quant(best.base.graph(), options));
      for (int value : observed_values(placements.back())) values.push_back(value);
    }
    const std::map<int, Histogram> seen = observe(best.base, values, *calibration_);
    const Tensor clean = outputs_of(best.base, *calibration_);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (placements[i].layers.empty()) continue;  // it stays in float anyway
      GraphModule one = assemble(best.base, placements[i], weight_bits_of(options_.mode), seen, best.rule);
      notes_.sensitivity.push_back({layers[i], distance(clean, outputs_of(one, *calibration_)).decibel()});
    }
    std::stable_sort(notes_.sensitivity.begin(), notes_.sensitivity.end(),
                     [](const LayerSqnr& a, const LayerSqnr& b) { return a.decibel < b.decibel; });
  }

  void try_float_layers(Trial& best) {
    scan(best);
    std::vector<std::string> keep = options_.keep_float;
    for (int i = 0; i < options_.sensitive && i + 1 < static_cast<int>(notes_.sensitivity.size()); ++i) {
      const std::string& layer = notes_.sensitivity[static_cast<std::size_t>(i)].layer;
      keep.push_back(layer);
      GraphModule model = quantized(best.base, keep, seen_of(best.base, keep), best.rule);
      if (notes_.bias_corrected) model = with_corrected_biases(best.base, model, *calibration_);
      std::size_t candidate = 0;
      const QuantizeScore score =
          judged(model, notes_.candidates[best.candidate].setting + ", " + layer + " in float", candidate);
      if (!judge_->gains(score, best.score)) return;
      notes_.kept_float.push_back(layer);
      best.model = std::move(model);
      best.score = score;
      best.candidate = candidate;
    }
  }

  GraphModule finish(GraphModule model) {
    for (const std::string& layer : layers_of(model_.graph()))
      for (const std::string& pattern : options_.keep_float)
        if (matches(pattern, layer)) {
          notes_.kept_float.push_back(layer);
          break;
        }
    if (held_out_) notes_.layers = layer_sqnr(model, data::first_samples(*held_out_, kSqnrSamples));
    return model;
  }

  const QuantizeOptions& options_;
  QuantizeNotes& notes_;
  GraphModule model_;
  std::optional<data::Subset> calibration_, held_out_;
  std::optional<Judge> judge_;
};

void check_options(const GraphModule& model, const QuantizeOptions& options) {
  const data::Dataset *calibrate = options.calibrate.dataset, *held_out = options.held_out.dataset;
  check<ValueError>(options.mode != QuantMode::int8 || calibrate,
                    "quantize: int8 needs data for the ranges of activations. Set .calibrate.");
  check<ValueError>(!held_out || calibrate, "quantize: .held_out is used only beside .calibrate.");
  check<ValueError>((!calibrate || calibrate->size() > 0) && (!held_out || held_out->size() > 0),
                    "quantize: the dataset is empty.");
  check<ValueError>(options.samples >= 1 && options.held_out_samples >= 1,
                    "quantize: samples and held_out_samples must be at least 1, got ", options.samples,
                    " and ", options.held_out_samples, ".");
  check<ValueError>(!options.rules.empty(), "quantize: there are no rules to choose from.");
  check<ValueError>(options.sensitive >= 0, "quantize: sensitive must be at least 0, got ", options.sensitive,
                    ".");
  for (const graph::Node& node : model.graph().nodes())
    check<GraphError>(node.op != Op::fake_quant, "quantize: the model is quantized already.");
  const std::vector<std::string> layers = layers_of(model.graph());
  check<GraphError>(!layers.empty(), "quantize: the model has no weights that could be quantized.");
  check_patterns(model.graph(), options.keep_float);
}

}  // namespace

GraphModule quantize(const GraphModule& model, const QuantizeOptions& options, QuantizeNotes* notes) {
  check_options(model, options);
  QuantizeNotes own;
  return Search(model, options, notes ? *notes : own).run();
}

}  // namespace linnet::compress
