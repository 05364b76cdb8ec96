// SPDX-License-Identifier: Apache-2.0
#pragma once
// Recipes: a network with the data, optimizer and settings it is trained with.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/data/dataset.h"
#include "linnet/nn/sequential.h"
#include "linnet/optim/optimizer.h"

namespace linnet::tools {

struct Recipe {
  std::string name;
  std::string dataset;  ///< name of the folder with its data
  nn::Sequential (*build)();
  std::string optimizer = "adam";
  double lr = 1e-3;
  std::int64_t batch = 32;
  std::int64_t epochs = 5;

  /// What a checkpoint says about itself: recipe, task, dataset, preprocessing.
  State about() const;
};

const std::vector<Recipe>& recipes();
/// ValueError that lists the recipes.
const Recipe& find_recipe(const std::string& name);

/// "adam" or "sgd" (with momentum 0.9). ValueError otherwise.
std::unique_ptr<optim::Optimizer> make_optimizer(const std::string& name, const NamedTensors& parameters,
                                                 double lr);

/// One part of a dataset: in the folder `dir`, in the usual places when `dir` is empty, or the built-in
/// digits for "synthetic". ValueError for an unknown name, IoError that says where it looked.
std::unique_ptr<data::Dataset> open_dataset(const std::string& name, const std::string& dir,
                                            data::Split split);

/// Name of the dataset whose samples have this shape, for models that do not say what they are for.
std::string dataset_for_input(const Shape& sample);

}  // namespace linnet::tools
