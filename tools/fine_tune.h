// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `linnet train` does before it trains on: chooses classes, takes a network from a checkpoint, gives it
// a new head, freezes. docs/fine_tuning.md is the page for users.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "linnet/data/dataset.h"
#include "linnet/nn/module.h"
#include "model_file.h"

namespace linnet::tools {

/// "0-4" or "1,3,5-9" as numbers; empty when it is something else.
std::vector<std::int64_t> numbers_of_ranges(const std::string& text);

/// The samples of those classes (all when empty), the first per_class of each (all when 0), as
/// data::OfClasses numbers them; the dataset itself when nothing is asked for. ValueError as OfClasses.
std::shared_ptr<data::Dataset> of_classes(std::shared_ptr<data::Dataset> dataset, const std::string& classes,
                                          std::int64_t per_class = 0);

/// The checkpoint that is trained on, if there is one; what Checkpoint::read() throws.
using Source = std::optional<Checkpoint>;
Source source_of(const FineTuning& how);

/// The network to train on this data. `recipe` is taken when there is no checkpoint, with a new head when the
/// data have another number of classes. ValueError when samples or classes do not fit the checkpoint, a
/// pattern matches nothing or nothing is left to train.
std::unique_ptr<nn::Layer> starting_model(const FineTuning& how, const Source& source,
                                          std::unique_ptr<nn::Layer> recipe, const data::Dataset& training);

/// Those that are trained.
NamedTensors trainable(const nn::Module& model);

}  // namespace linnet::tools
