// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "linnet/compress/evaluate.h"
#include "linnet/compress/sqnr.h"
#include "linnet/core/error.h"
#include "linnet/graph/infer.h"
#include "linnet/runtime/linnet_runtime.hpp"

namespace linnet::compress {
namespace {

constexpr std::int64_t kNoiseSamples = 64;
constexpr double kRoundSeconds = 2e-3;  ///< of one variant in one round, about
constexpr double kFaster = 1.05;        ///< below it "faster" would be noise

// ---- latency --------------------------------------------------------------------------------------

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t middle = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2.0;
}

/// Of one run. A run that the machine has interrupted does not count among many.
double seconds_of(runtime::Model& board, int runs) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point start = Clock::now();
    board.run();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  return median(std::move(times));
}

/// What disturbs the machine disturbs all variants of a round alike.
void measure_latency(const std::vector<deploy::Image>& images, const Tensor& x, int rounds,
                     std::vector<ReportRow>& rows) {
  std::vector<runtime::Model> boards;
  std::vector<int> runs;
  for (const deploy::Image& image : images) {
    runtime::Model& board = boards.emplace_back(image.bytes);
    std::ranges::copy(x.data<float>(), board.input<float>().begin());  // evaluate() has seen that it fits
    seconds_of(board, 3);                                              // caches are cold
    runs.push_back(static_cast<int>(std::clamp(kRoundSeconds / seconds_of(board, 3), 1.0, 10'000.0)));
  }
  std::vector<std::vector<double>> times(images.size()), ratios(images.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t k = 0; k < boards.size(); ++k) {
      const std::size_t i = round % 2 == 0 ? k : boards.size() - 1 - k;  // what drifts, drifts both ways
      times[i].push_back(seconds_of(boards[i], runs[i]));
    }
    for (std::size_t i = 0; i < boards.size(); ++i) ratios[i].push_back(times[0].back() / times[i].back());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].latency_us = median(times[i]) * 1e6;
    rows[i].speedup = median(ratios[i]);
  }
}

// ---- the rows -------------------------------------------------------------------------------------

std::int64_t nonzero(const graph::GraphModule& model) {
  std::int64_t count = 0;
  for (const NamedTensor& parameter : model.parameters()) {
    const Tensor wide = parameter.second.to(f64);
    count += std::ranges::count_if(wide.data<double>(), [](double value) { return value != 0.0; });
  }
  return count;
}

/// Integers, not only weights that are decoded to floats.
bool computes_integers(const deploy::Image& image) {
  return std::ranges::any_of(image.report.op_names, [](const std::string& op) {
    return op.starts_with("i8_") || op.ends_with("_dynamic");
  });
}

/// Why a variant that is not faster is not.
std::string not_faster(const ReportRow& row, const ReportRow& first, const deploy::Image& image) {
  const std::string start = row.name + " is not faster than " + first.name + ": ";
  if (row.macs > first.macs) return start + "it multiplies more.";
  if (computes_integers(image))
    return start +
           "int8 ops are plain C code in the runtime so far: smaller on disk and in the arena, not faster." +
           (row.nonzero < row.parameters
                ? " Its zeros are decoded when it is bound: remove whole channels (--structured) for speed."
                : "");
  return start +
         "sparse, clustered and packed weights are decoded when the model is bound: smaller on disk, not "
         "faster. Remove whole channels (--structured) for speed.";
}

void check_variants(const std::vector<Variant>& variants) {
  check<ValueError>(!variants.empty(), "report: no variants. Give at least one {name, model}.");
  std::set<std::string> names;
  for (const Variant& variant : variants)
    check<ValueError>(names.insert(variant.name).second, "report: two variants are called ", variant.name,
                      ". Give each its own name.");
}

ReportRow row_of(const std::string& name, const graph::GraphModule& model, const deploy::Image& image,
                 const Tensor& samples) {
  ReportRow row{.name = name,
                .bytes = image.report.file_bytes,
                .parameters = model.parameter_count(),
                .nonzero = nonzero(model),
                .macs = graph::macs(model.graph())};
  row.latency_us = std::numeric_limits<double>::quiet_NaN();
  row.speedup = row.latency_us;
  const std::vector<LayerSqnr> layers = layer_sqnr(model, samples);
  const auto worst = std::ranges::min_element(layers, {}, &LayerSqnr::decibel);
  if (worst == layers.end()) return row;
  row.worst_layer = worst->layer;
  row.worst_sqnr = worst->decibel;
  return row;
}

}  // namespace

std::shared_ptr<graph::GraphModule> Variant::copy(const graph::GraphModule& model) {
  return std::make_shared<graph::GraphModule>(model.graph(), model.state());
}

Report report(const std::vector<Variant>& variants, const data::Dataset& dataset,
              const ReportOptions& options) {
  check_variants(variants);
  check<ValueError>(dataset.size() > 0 && options.rounds >= 0, "report: ", dataset.size(), " samples and ",
                    options.rounds, " rounds; at least 1 and 0 are needed.");
  const Tensor samples = data::first_samples(dataset, kNoiseSamples), one = data::first_samples(dataset, 1);
  Report result{.samples = dataset.size()};
  std::vector<deploy::Image> images;
  std::optional<Scores> first;
  for (const Variant& variant : variants) {
    const std::shared_ptr<graph::GraphModule> model = variant.make(one.shape());
    model->eval();
    const deploy::Image& image =
        images.emplace_back(deploy::build(model->graph(), model->state(), variant.exported));
    ReportRow& row = result.rows.emplace_back(row_of(variant.name, *model, image, samples));
    const Scores scores = is_quantized(model->graph()) ? evaluate(image, dataset) : evaluate(*model, dataset);
    if (!first) first = scores;
    result.regression = scores.regression;
    row.value = scores.value();
    row.change = paired_difference(scores, *first);
  }
  if (options.rounds == 0) return result;
  measure_latency(images, one, options.rounds, result.rows);
  for (std::size_t i = 1; i < images.size(); ++i)
    if (ReportRow& row = result.rows[i]; row.speedup < kFaster)
      row.note = not_faster(row, result.rows[0], images[i]);
  return result;
}

}  // namespace linnet::compress
