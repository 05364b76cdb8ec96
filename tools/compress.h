// SPDX-License-Identifier: Apache-2.0
#pragma once
// What prune, cluster, distil and quantize share: the checkpoint and its data, training on, the report, the
// new checkpoint. docs/compression.md is the page for users.

#include <memory>
#include <optional>
#include <string>

#include "commands.h"
#include "linnet/compress/report.h"
#include "linnet/train/trainer.h"
#include "recipes.h"
#include "task.h"

namespace linnet::tools {

/// A checkpoint and the data it was trained on.
struct Work {
  const CompressionArguments& arguments;
  std::string command;  ///< "prune"
  Checkpoint source;
  Task task;
  Recipe recipe;                            ///< of the checkpoint; settings that suit most when it names none
  std::shared_ptr<data::Dataset> samples;   ///< training part before it is prepared
  std::unique_ptr<data::Dataset> training;  ///< with what the recipe changes at random
  std::unique_ptr<data::Dataset> calibration;  ///< training part without
  std::unique_ptr<data::Dataset> held_out;     ///< test part

  Work(const Work&) = delete;
  /// Checks the names of all files that will be written, reads what is needed, applies threads and seed.
  Work(const CompressionArguments& given, std::string name);

  /// What the new checkpoint says about itself: what the old one says, and this step behind earlier ones.
  State about(const std::string& step) const;
};

/// ValueError, naming the option, for one that is about training when nothing is trained; `asked_by` is what
/// would ask for it.
void check_tuning(const std::string& command, const CompressionArguments& arguments, bool trains,
                  const char* asked_by);

/// How a model is trained on; what is not set is the recipe's.
struct Tuning {
  std::int64_t epochs = 0;
  State about = {};
  train::Loss loss = {};
  const data::Dataset* training = nullptr;
  double lr = 0.0;
  /// Else the rate falls to 0 along a cosine.
  std::optional<optim::Schedule> schedule = {};
  std::vector<train::StepCallback> step_callbacks = {};
};

/// Steps of so many epochs.
std::int64_t steps_of(const Work& work, std::int64_t epochs);

/// Trains the model (none for 0 epochs) and leaves a complete checkpoint in work.arguments.out. False when it
/// was stopped by a signal. FailedRun when the checkpoint cannot be written.
bool train_on(const Work& work, graph::GraphModule& model, Tuning tuning);

/// Measures what train_on() has left beside what it was made from, writes the reports and prints the figures,
/// `more` among them; of a run that was stopped only that it is not finished. FailedRun when accuracy has
/// fallen by more than --max-drop.
void conclude(const Work& work, bool finished, const Figures& more);

}  // namespace linnet::tools
