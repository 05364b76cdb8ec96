// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/prune.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "compress.h"
#include "linnet/compress/structured.h"
#include "linnet/core/error.h"

namespace linnet::tools {
namespace {

/// "2:4" as 2 and 4; 0 and 0 for anything else.
std::pair<std::int64_t, std::int64_t> two_numbers(const std::string& text, char between) {
  std::int64_t first = 0, second = 0;
  const char* const end = text.data() + text.size();
  const auto a = std::from_chars(text.data(), end, first);
  if (a.ec != std::errc() || a.ptr == end || *a.ptr != between) return {0, 0};
  const auto b = std::from_chars(a.ptr + 1, end, second);
  return b.ec == std::errc() && b.ptr == end ? std::pair(first, second)
                                             : std::pair<std::int64_t, std::int64_t>(0, 0);
}

compress::Structure structure_of(const PruneArguments& arguments) {
  if (!arguments.n_of_m.empty()) {
    const auto [n, m] = two_numbers(arguments.n_of_m, ':');
    check<ValueError>(n >= 1 && m > n,
                      "prune: --n-of-m takes two numbers such as 2:4, the first smaller, got ",
                      arguments.n_of_m, ".");
    return compress::n_of_m(n, m);
  }
  if (arguments.block.empty()) return {};
  const auto [height, width] = two_numbers(arguments.block, 'x');
  check<ValueError>(height == 1 && width >= 2, "prune: --block takes 1xN, such as 1x4, got ", arguments.block,
                    ".");
  return compress::blocks(width);
}

compress::Scope scope_of(const PruneArguments& arguments) {
  return arguments.scope == "layer" ? compress::Scope::layer : compress::Scope::global;
}

compress::PruneOptions options_of(const PruneArguments& arguments) {
  compress::PruneOptions options{.structure = structure_of(arguments)};
  if (!arguments.scope.empty()) options.scope = scope_of(arguments);
  if (arguments.sparsity > 0.0) options.sparsity = arguments.sparsity;
  if (arguments.threshold > 0.0) options.threshold = arguments.threshold;
  if (!arguments.layers.empty()) options.pattern = arguments.layers;
  return options;
}

/// As it would be typed: a resumed run must have been told the same.
std::string step_text(const PruneArguments& arguments) {
  std::string text = "prune";
  const auto add = [&text](bool given, const char* option, const Piece& value) {
    if (given) text += std::string(" --") + option + (value.text().empty() ? "" : " " + value.text());
  };
  add(arguments.sparsity >= 0.0, "sparsity", arguments.sparsity);
  add(arguments.threshold > 0.0, "threshold", arguments.threshold);
  add(!arguments.n_of_m.empty(), "n-of-m", arguments.n_of_m);
  add(!arguments.block.empty(), "block", arguments.block);
  add(!arguments.layers.empty(), "layers", arguments.layers);
  add(!arguments.scope.empty(), "scope", arguments.scope);
  add(arguments.structured, "structured", "");
  add(arguments.structured && arguments.criterion != "l1", "criterion", arguments.criterion);
  add(arguments.multiple > 1, "multiple", arguments.multiple);
  if (arguments.schedule == "polynomial") {
    add(true, "schedule", arguments.schedule);
    add(true, "initial-sparsity", arguments.initial_sparsity);
    add(true, "frequency", arguments.frequency);
  }
  return text;
}

void check_arguments(const PruneArguments& arguments) {
  check<ValueError>(arguments.sparsity >= 0.0 || arguments.threshold > 0.0 || !arguments.n_of_m.empty(),
                    "prune: nothing says how much is to go. Give --sparsity, --threshold or --n-of-m.");
  check<ValueError>(arguments.schedule == "constant" || arguments.initial_sparsity <= arguments.sparsity,
                    "prune: --initial-sparsity ", arguments.initial_sparsity, " is above --sparsity ",
                    arguments.sparsity, ". Weights that went do not come back.");
  check_tuning("prune", arguments, arguments.epochs > 0, "--epochs");
  check<ValueError>(arguments.schedule == "constant" || arguments.epochs > 0,
                    "prune: --schedule polynomial prunes while training. Give --epochs, too.");
  structure_of(arguments);
}

// ---- single weights -------------------------------------------------------------------------------------

void prune_weights(const PruneArguments& arguments) {
  const Work work(arguments, "prune");
  graph::GraphModule& model = *work.source.model;
  Tuning tuning{.epochs = arguments.epochs, .about = work.about(step_text(arguments))};
  const compress::PruneOptions options = options_of(arguments);
  if (arguments.schedule == "polynomial") {
    const std::int64_t steps = steps_of(work, arguments.epochs), begin = steps / 10;
    const std::int64_t most = std::max(steps * 2 / 3 - begin, std::int64_t{1});  // then it recovers
    const std::int64_t every = std::min(arguments.frequency, most);
    // The last pruning is the whole of it, and comes before the last step.
    const std::int64_t end = std::min(begin + most / every * every, steps - 1);
    tuning.step_callbacks.push_back(compress::Pruner(
        model, compress::polynomial_decay(arguments.initial_sparsity, arguments.sparsity, begin, end, every),
        options));
  } else if (arguments.sparsity != 0.0) {  // 0: only trained on, as a float network to compare with
    compress::prune(model, options);
  }
  const bool finished = train_on(work, model, tuning);
  conclude(work, finished, {{"sparsity", compress::sparsity(model).total.share()}});
}

// ---- whole channels -------------------------------------------------------------------------------------

void prune_channels(const PruneArguments& arguments) {
  const Work work(arguments, "prune");
  compress::StructuredOptions options{.sparsity = arguments.sparsity,
                                      .criterion = arguments.criterion == "l1"
                                                       ? compress::Criterion::l1
                                                       : compress::Criterion::batch_norm_scale,
                                      .multiple = arguments.multiple};
  if (!arguments.scope.empty()) options.scope = scope_of(arguments);
  if (!arguments.layers.empty()) options.pattern = arguments.layers;
  compress::Shrunk small = compress::prune_structured(*work.source.model, options);
  if (!arguments.common.json) std::printf("%s", small.str().c_str());
  if (compress::has_moving_statistics(small.model.graph()))
    compress::reestimate_batch_norm(small.model, *work.calibration);
  const bool finished =
      train_on(work, small.model, {.epochs = arguments.epochs, .about = work.about(step_text(arguments))});
  const double left =
      static_cast<double>(small.parameters_after) / static_cast<double>(small.parameters_before);
  conclude(work, finished, {{"sparsity", 1.0 - left}});
}

}  // namespace

void prune(const PruneArguments& arguments) {
  check_arguments(arguments);
  arguments.structured ? prune_channels(arguments) : prune_weights(arguments);
}

}  // namespace linnet::tools
