// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "fine_tune.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"
#include "linnet/core/profile.h"
#include "linnet/optim/make_optimizer.h"
#include "linnet/train/trainer.h"
#include "recipe_data.h"
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

/// The training and the test part as the model sees them, both prepared by what the first one says, or by
/// what the network was trained on that is fine-tuned.
struct Parts {
  std::shared_ptr<data::Dataset> chosen;  ///< training samples before they are prepared
  std::unique_ptr<data::Dataset> training, held_out;
  data::Standardiser scale;
};

Parts read_data(const Recipe& recipe, const TrainArguments& arguments, const Source& source) {
  const profile::Scope scope("read data");
  const auto open = [&](data::Split split) { return open_dataset(recipe.dataset, arguments.data, split); };
  Parts parts;
  parts.chosen = of_classes(open(data::Split::train), arguments.classes, arguments.per_class);
  std::shared_ptr<data::Dataset> training = parts.chosen;
  if (arguments.limit > 0) training = std::make_shared<data::Subset>(training, arguments.limit);
  if (source) {
    parts.scale = source->standardiser();
    check<ValueError>(!recipe.standardise || !parts.scale.empty(), "train: ", recipe.name,
                      " standardises its data, ", arguments.tuning.from,
                      " says nothing of what it was trained on. Use a file of such a recipe.");
  }
  if (!source && recipe.standardise) parts.scale = data::Standardiser::fit(*training);
  parts.training = prepared(training, parts.scale, recipe.augment);
  parts.held_out = prepared(of_classes(open(data::Split::test), arguments.classes), parts.scale);
  return parts;
}

/// Outputs keep their meaning only with the classes that they were trained on.
void check_same_classes(const TrainArguments& arguments, const Checkpoint& source) {
  const auto text = [](const std::string& classes) {
    return classes.empty() ? "all classes" : "classes " + classes;
  };
  const std::string trained = source.about("classes");
  check<ValueError>(numbers_of_ranges(trained) == numbers_of_ranges(arguments.classes),
                    "train: ", arguments.tuning.from, " was trained on ", text(trained), ", not on ",
                    text(arguments.classes),
                    ". Use the same --classes, or --new-head to replace its last layer.");
}

/// What the checkpoint says about itself.
State about(const Recipe& recipe, const TrainArguments& arguments, const data::Standardiser& scale) {
  State about = recipe.about(scale);
  if (!arguments.classes.empty()) about.set("classes", arguments.classes);
  if (arguments.tuning.from.empty()) return about;
  about.set("from", arguments.tuning.from);
  std::string frozen;
  for (const std::string& pattern : arguments.tuning.freeze) frozen += (frozen.empty() ? "" : ", ") + pattern;
  if (!frozen.empty()) about.set("frozen", frozen);
  return about;
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
  check_output("train", arguments.out, arguments.tuning.from);
  check_output("train", arguments.out + ".prev", arguments.tuning.from);  // where the file before it goes
  if (!arguments.history.empty()) {
    check_output("train", arguments.history, arguments.out);
    check_output("train", arguments.history, arguments.tuning.from);
  }
  const Source source = source_of(arguments.tuning);
  const auto [samples, training, held_out, scale] = read_data(recipe, arguments, source);

  arguments.common.apply();
  const std::unique_ptr<nn::Layer> model =
      starting_model(arguments.tuning, source, std::make_unique<nn::Sequential>(recipe.build()), *samples);
  if (source && !arguments.tuning.new_head) check_same_classes(arguments, *source);
  optim::MakeOptimizerOptions settings{.lr = recipe.lr};
  if (recipe.weight_decay > 0.0) settings.weight_decay = recipe.weight_decay;
  auto optimizer = optim::make_optimizer(recipe.optimizer, trainable(*model), settings);
  train::Trainer trainer(*model, *optimizer,
                         {.loss = recipe.loss,
                          .metrics = {recipe.task == "regression" ? train::Metric(train::RMSE()) : accuracy},
                          .checkpoint = arguments.out,
                          .checkpoint_every = arguments.checkpoint_every,
                          .resume = arguments.resume,
                          .history = arguments.history,
                          .about = about(recipe, arguments, scale),
                          .schedule = recipe.schedule(training->size())});
  train::FitResult result =
      fit(trainer, *training, {.epochs = recipe.epochs, .batch = recipe.batch, .validate = *held_out});

  double rate = result.seconds > 0.0 ? static_cast<double>(result.samples) / result.seconds : 0.0;
  // What the last epoch ended with, unless the run was stopped within one, or had nothing left to do.
  const bool known = !result.stopped && !result.epochs.empty();
  const double reached = (known ? result.epochs.back().validation : trainer.evaluate(*held_out))[1].second;
  arguments.common.print({test_figure(recipe.task, reached, held_out->size()),
                          {"epochs", recipe.epochs},
                          {"train_seconds", result.seconds},
                          {"samples_per_second", rate},
                          {"peak_rss_bytes", peak_rss_bytes()},
                          {"parameters", model->parameter_count()},
                          {"finished", !result.stopped}});
}

}  // namespace linnet::tools
