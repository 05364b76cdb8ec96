// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/core/profile.h"
#include "linnet/train/trainer.h"
#include "recipes.h"

namespace linnet::tools {
namespace {

/// What the command line says, where it says something, over the recipe.
Recipe chosen(const TrainArguments& arguments) {
  Recipe recipe = find_recipe(arguments.recipe);
  if (arguments.epochs > 0) recipe.epochs = arguments.epochs;
  if (arguments.batch > 0) recipe.batch = arguments.batch;
  if (arguments.lr > 0.0) recipe.lr = arguments.lr;
  if (!arguments.optimizer.empty()) recipe.optimizer = arguments.optimizer;
  return recipe;
}

/// The training and the test part.
std::pair<std::unique_ptr<data::Dataset>, std::unique_ptr<data::Dataset>> read_data(const Recipe& recipe,
                                                                                    const std::string& dir) {
  const profile::Scope scope("read data");
  auto training = open_dataset(recipe.dataset, dir, data::Split::train);
  return {std::move(training), open_dataset(recipe.dataset, dir, data::Split::test)};
}

train::FitResult fit(train::Trainer& trainer, const data::Dataset& dataset,
                     const train::FitOptions& options) {
  try {
    return trainer.fit(dataset, options);
  } catch (const train::SaveError& error) {
    throw FailedRun(error.what());
  }
}

}  // namespace

void train(const TrainArguments& arguments) {
  const Recipe recipe = chosen(arguments);
  check_output("train", arguments.out);
  if (!arguments.history.empty()) check_output("train", arguments.history, arguments.out);
  const auto [whole, held_out] = read_data(recipe, arguments.data);
  data::Subset training(*whole, arguments.limit > 0 ? arguments.limit : whole->size());

  arguments.common.apply();
  nn::Sequential model = recipe.build();
  auto optimizer = make_optimizer(recipe.optimizer, model.parameters(), recipe.lr);
  train::Trainer trainer(model, *optimizer,
                         {.loss = cross_entropy,
                          .metrics = {accuracy},
                          .checkpoint = arguments.out,
                          .checkpoint_every = arguments.checkpoint_every,
                          .resume = arguments.resume,
                          .history = arguments.history,
                          .about = recipe.about()});
  train::FitResult result =
      fit(trainer, training, {.epochs = recipe.epochs, .batch = recipe.batch, .validate = *held_out});

  double rate = result.seconds > 0.0 ? static_cast<double>(result.samples) / result.seconds : 0.0;
  // What the last epoch ended with, unless the run was stopped within one, or had nothing left to do.
  const bool known = !result.stopped && !result.epochs.empty();
  const double accuracy_now =
      (known ? result.epochs.back().validation : trainer.evaluate(*held_out))[1].second;
  arguments.common.print({{"test_accuracy", train::Estimate::of_share(accuracy_now, held_out->size())},
                          {"epochs", recipe.epochs},
                          {"train_seconds", result.seconds},
                          {"samples_per_second", rate},
                          {"peak_rss_bytes", peak_rss_bytes()},
                          {"parameters", model.parameter_count()},
                          {"finished", !result.stopped}});
}

}  // namespace linnet::tools
