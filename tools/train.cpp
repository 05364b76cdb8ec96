// SPDX-License-Identifier: Apache-2.0
#include "command.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/train/trainer.h"
#include "recipes.h"

namespace linnet::tools {
namespace {

struct TrainArguments {
  Common common;
  std::string recipe, data, out, optimizer, history;
  std::int64_t epochs = 0, batch = 0, limit = 0;
  double lr = 0.0, checkpoint_every = 0.0;
  bool resume = false;
};

/// What the command line says, where it says something, over the recipe.
Recipe chosen(const TrainArguments& arguments) {
  Recipe recipe = find_recipe(arguments.recipe);
  if (arguments.epochs > 0) recipe.epochs = arguments.epochs;
  if (arguments.batch > 0) recipe.batch = arguments.batch;
  if (arguments.lr > 0.0) recipe.lr = arguments.lr;
  if (!arguments.optimizer.empty()) recipe.optimizer = arguments.optimizer;
  return recipe;
}

train::FitResult fit(train::Trainer& trainer, const data::Dataset& dataset,
                     const train::FitOptions& options) {
  try {
    return trainer.fit(dataset, options);
  } catch (const train::SaveError& error) {
    throw FailedRun(error.what());
  }
}

void train(const TrainArguments& arguments) {
  const Recipe recipe = chosen(arguments);
  check_output("train", arguments.out);
  if (!arguments.history.empty()) check_output("train", arguments.history, arguments.out);
  auto whole = open_dataset(recipe.dataset, arguments.data, data::Split::train);
  auto held_out = open_dataset(recipe.dataset, arguments.data, data::Split::test);
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
  arguments.common.print({{"test_accuracy", trainer.evaluate(*held_out)[1].second},
                          {"epochs", recipe.epochs},
                          {"train_seconds", result.seconds},
                          {"samples_per_second", rate},
                          {"peak_rss_bytes", peak_rss_bytes()},
                          {"parameters", model.parameter_count()},
                          {"finished", !result.stopped}});
}

}  // namespace

void add_train(CLI::App& program) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = program.add_subcommand("train", "Train a recipe and write a checkpoint");
  command->add_option("RECIPE", arguments->recipe, "mnist-mlp or mnist-cnn")->required();
  command->add_option("--data", arguments->data, "Folder with the data or its parent, or synthetic");
  command->add_option("--out", arguments->out, "Checkpoint file")->required();
  command->add_option("--epochs", arguments->epochs, "Epochs (default: the recipe's)")
      ->check(whole_above_zero);
  command->add_option("--batch", arguments->batch, "Batch size (default: the recipe's)")
      ->check(whole_above_zero);
  command->add_option("--lr", arguments->lr, "Learning rate (default: the recipe's)")
      ->check(finite_above_zero);
  command->add_option("--optimizer", arguments->optimizer, "adam or sgd (default: the recipe's)");
  command->add_option("--limit", arguments->limit, "Use the first N training samples only")
      ->check(whole_above_zero);
  command->add_option("--history", arguments->history, "File that gets a JSON line an epoch");
  command
      ->add_option("--checkpoint-every", arguments->checkpoint_every,
                   "Seconds between checkpoints within an epoch")
      ->check(finite_above_zero);
  command->add_flag("--resume", arguments->resume, "Go on from the checkpoint if there is one");
  arguments->common.add_to(*command);
  command->callback([arguments] { train(*arguments); });
}

}  // namespace linnet::tools
