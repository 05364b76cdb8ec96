// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a model is for, as its file says, and the data it is tested on.

#include <memory>
#include <string>

#include "linnet/data/dataset.h"
#include "linnet/data/standardiser.h"
#include "model_file.h"

namespace linnet::tools {

/// What a file says about its data, or what fits its input when it says nothing.
struct Task {
  std::string dataset, task, classes;
  data::Standardiser scale;

  /// The samples of one part before they are prepared; of the model's classes only.
  std::shared_ptr<data::Dataset> open(const std::string& dir, data::Split split) const;
  /// The test part as the model sees it.
  std::unique_ptr<data::Dataset> test_data(const std::string& dir) const;
};

/// ValueError when nothing fits.
Task task_of(const RuntimeModel& model);
Task task_of(const Checkpoint& checkpoint);

/// ValueError naming the files unless both models take the same samples: shape, data set, task, classes and
/// scale. Only then is one test set fair to both.
void check_same_samples(const std::string& command, const Checkpoint& a, const std::string& a_file,
                        const Checkpoint& b, const std::string& b_file);

}  // namespace linnet::tools
