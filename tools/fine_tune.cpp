// SPDX-License-Identifier: Apache-2.0
#include "fine_tune.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "linnet/core/error.h"
#include "linnet/data/classes.h"
#include "linnet/graph/new_head.h"
#include "linnet/graph/trace.h"

namespace linnet::tools {
namespace {

constexpr std::int64_t kMostClasses = 100'000;

/// A number at the start of `text`, which is taken off; -1 when there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number >= kMostClasses) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Shape of one sample.
Shape sample_shape(const data::Dataset& dataset) {
  const std::int64_t first = 0;
  return dataset.batch(std::span(&first, 1)).x.shape().without(0);
}

/// How many outputs a model of this data has; 0 when they are no classes.
std::int64_t classes_of(const data::Dataset& dataset) {
  if (const auto* chosen = dynamic_cast<const data::OfClasses*>(&dataset))
    return static_cast<std::int64_t>(chosen->classes().size());
  const std::int64_t first = 0;
  if (is_float(dataset.batch(std::span(&first, 1)).y.dtype())) return 0;
  const std::vector<std::int64_t> labels = data::labels_of(dataset);
  return *std::ranges::max_element(labels) + 1;
}

void freeze(graph::GraphModule& model, const FineTuning& how) {
  for (const std::string& pattern : how.freeze) model.freeze(pattern);
  if (how.new_head && !how.freeze.empty())
    for (const std::string& name : graph::head_parameters(model.graph())) model.unfreeze(name);
  check<ValueError>(!trainable(model).empty(),
                    "train: --freeze leaves nothing to train. Freeze less, or add --new-head: a new head is "
                    "never frozen.");
}

std::unique_ptr<nn::Layer> from_checkpoint(const FineTuning& how, const Checkpoint& checkpoint,
                                           const data::Dataset& training) {
  const Shape sample = sample_shape(training);
  check<ValueError>(sample == checkpoint.sample_shape(), "train: ", how.from, " takes samples of shape ",
                    checkpoint.sample_shape(), ", those of the data are ", sample,
                    ". Use a recipe with the data it was trained on.");
  const std::int64_t outputs = graph::outputs_of(checkpoint.model->graph()), classes = classes_of(training);
  check<ValueError>(how.new_head || classes == 0 || outputs == classes, "train: ", how.from, " has ", outputs,
                    " outputs, the data have ", classes,
                    " classes. Use --new-head to replace its last layer.");
  auto model = std::make_unique<graph::GraphModule>(
      how.new_head ? graph::with_new_head(*checkpoint.model, classes > 0 ? classes : outputs)
                   : graph::GraphModule(checkpoint.model->graph(), checkpoint.model->state()));
  freeze(*model, how);
  return model;
}

}  // namespace

std::vector<std::int64_t> numbers_of_ranges(const std::string& text) {
  std::vector<std::int64_t> numbers;
  std::string_view rest = text;
  while (true) {
    const std::int64_t first = take_number(rest);
    std::int64_t last = first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = take_number(rest);
    }
    if (first < 0 || last < first) return {};
    for (std::int64_t number = first; number <= last; ++number) numbers.push_back(number);
    if (rest.empty()) return numbers;
    if (!rest.starts_with(',')) return {};
    rest.remove_prefix(1);
  }
}

std::shared_ptr<data::Dataset> of_classes(std::shared_ptr<data::Dataset> dataset, const std::string& classes,
                                          std::int64_t per_class) {
  if (classes.empty() && per_class == 0) return dataset;
  std::vector<std::int64_t> chosen = numbers_of_ranges(classes);
  if (classes.empty()) {  // all, without a gap, as the other part has them
    chosen.resize(static_cast<std::size_t>(std::ranges::max(data::labels_of(*dataset)) + 1));
    std::iota(chosen.begin(), chosen.end(), std::int64_t{0});
  }
  return std::make_shared<data::OfClasses>(std::move(dataset), std::move(chosen),
                                           data::ClassesOptions{.per_class = per_class});
}

Source source_of(const FineTuning& how) {
  if (how.from.empty()) return {};
  check_input(how.from);
  return Checkpoint::read(how.from);
}

std::unique_ptr<nn::Layer> starting_model(const FineTuning& how, const Source& source,
                                          std::unique_ptr<nn::Layer> recipe, const data::Dataset& training) {
  if (source) return from_checkpoint(how, *source, training);
  const auto* chosen = dynamic_cast<const data::OfClasses*>(&training);
  if (!chosen) return recipe;
  const graph::Graph graph = graph::trace(*recipe, sample_shape(training).inserted(0, 1));
  const auto classes = static_cast<std::int64_t>(chosen->classes().size());
  if (graph::outputs_of(graph) == classes) return recipe;
  return std::make_unique<graph::GraphModule>(
      graph::with_new_head(graph::GraphModule(graph, recipe->state()), classes));
}

NamedTensors trainable(const nn::Module& model) {
  NamedTensors kept;
  for (const NamedTensor& named : model.parameters())
    if (named.second.requires_grad()) kept.push_back(named);
  return kept;
}

}  // namespace linnet::tools
