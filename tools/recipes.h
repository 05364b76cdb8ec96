// SPDX-License-Identifier: Apache-2.0
#pragma once
// Recipes: a network with the data, optimizer and settings it is trained with. docs/recipes.md says what each
// reaches.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet/autograd/ops.h"
#include "linnet/core/state.h"
#include "linnet/data/standardiser.h"
#include "linnet/data/transform.h"
#include "linnet/nn/sequential.h"
#include "linnet/optim/schedule.h"
#include "linnet/train/loss.h"

namespace linnet::tools {

struct Recipe {
  std::string name;
  std::string dataset;  ///< name of the folder with its data
  nn::Sequential (*build)();
  std::string optimizer = "adam";
  double lr = 1e-3;
  std::int64_t batch = 32;
  std::int64_t epochs = 5;
  double weight_decay = 0.0;
  train::Loss loss = cross_entropy;
  std::vector<data::Transform> augment = {};  ///< of training samples only
  std::string task = "classification";        ///< or "regression"
  bool standardise = false;                   ///< by the statistics of the training part
  bool one_cycle = false;                     ///< lr is the peak of optim::one_cycle_lr over the whole run

  /// What a checkpoint says about itself: recipe, task, dataset, preprocessing.
  State about(const data::Standardiser& scale) const;
  /// Of a run over so many samples; none unless one_cycle.
  optim::Schedule schedule(std::int64_t samples) const;
};

const std::vector<Recipe>& recipes();
/// ValueError that lists the recipes.
const Recipe& find_recipe(const std::string& name);

}  // namespace linnet::tools
