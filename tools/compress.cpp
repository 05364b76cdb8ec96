// SPDX-License-Identifier: Apache-2.0
#include "compress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "export_options.h"
#include "fine_tune.h"
#include "linnet/core/error.h"
#include "linnet/io/checkpoint.h"
#include "linnet/optim/make_optimizer.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

/// Of the checkpoint, or what suits most networks.
Recipe recipe_of(const Checkpoint& checkpoint, const Task& task, const CompressionArguments& arguments) {
  const std::string name = checkpoint.about("recipe");
  Recipe recipe;
  if (name.empty()) {
    recipe.dataset = task.dataset;
    recipe.task = task.task;
    if (recipe.task == "regression") recipe.loss = mse;
  } else {
    recipe = find_recipe(name);
  }
  if (arguments.batch > 0) recipe.batch = arguments.batch;
  return recipe;
}

void check_files(const std::string& command, const CompressionArguments& arguments) {
  check_output(command, arguments.out, arguments.file);
  check_output(command, arguments.out + ".prev", arguments.file);  // where the file before it goes
  for (const std::string& report : arguments.reports) {
    check_output(command, report, arguments.file);
    check_output(command, report, arguments.out);
    check_output(command, report, arguments.out + ".prev");
  }
  check_input(arguments.file);
  if (!arguments.baseline.empty()) {
    check_input(arguments.baseline);
    check_output(command, arguments.out, arguments.baseline);
    check_output(command, arguments.out + ".prev", arguments.baseline);
    for (const std::string& report : arguments.reports) check_output(command, report, arguments.baseline);
  }
}

State with(const State& state, const std::string& name, const StateValue& value) {
  State changed;
  for (const auto& entry : state)
    if (entry.first != name) changed.set(entry.first, entry.second);
  changed.set(name, value);
  return changed;
}

/// A recipe whose rate rises to a peak is trained on at less, or it would forget.
double rate(const Work& work, const Tuning& tuning) {
  if (work.arguments.lr > 0.0) return work.arguments.lr;
  if (tuning.lr > 0.0) return tuning.lr;
  return work.recipe.lr * (work.recipe.one_cycle ? 0.1 : 1.0);
}

void save(const std::string& path, graph::GraphModule& model, const State& about) {
  written([&] {
    io::save(path, {{"model", model.state()}, {"graph", model.graph().state()}, {"about", about}});
  });
}

}  // namespace

Work::Work(const CompressionArguments& given, std::string name) : arguments(given), command(std::move(name)) {
  check_files(command, arguments);
  source = Checkpoint::read(arguments.file);
  task = task_of(source);
  if (!arguments.baseline.empty())
    check_same_samples(command, source, arguments.file, Checkpoint::read(arguments.baseline),
                       arguments.baseline);
  recipe = recipe_of(source, task, arguments);
  samples = task.open(arguments.data, data::Split::train);
  if (arguments.limit > 0) samples = std::make_shared<data::Subset>(samples, arguments.limit);
  training = prepared(samples, task.scale, recipe.augment);
  calibration = prepared(samples, task.scale);
  held_out = task.test_data(arguments.data);
  arguments.common.apply();
}

void check_tuning(const std::string& command, const CompressionArguments& arguments, bool trains,
                  const char* asked_by) {
  const auto refuse = [&](bool given, const char* option) {
    check<ValueError>(trains || !given, command, ": ", option,
                      " is about training, and nothing is trained. Give ", asked_by,
                      " too, or leave it out.");
  };
  refuse(arguments.lr > 0.0, "--lr");
  refuse(arguments.weight_decay > 0.0, "--weight-decay");
  refuse(arguments.batch > 0, "--batch");
  refuse(arguments.checkpoint_every > 0.0, "--checkpoint-every");
  refuse(arguments.resume, "--resume");
}

State Work::about(const std::string& step) const {
  State said{{"dataset", task.dataset}, {"task", task.task}};
  if (const StateValue* theirs = source.state.find("about"); theirs && theirs->is_state())
    for (const auto& entry : theirs->state())
      if (entry.first != "quantization") said = with(said, entry.first, entry.second);  // of the model before
  const std::string before = source.about("compression");
  return with(said, "compression", (before.empty() ? "" : before + "; ") + step);
}

std::int64_t steps_of(const Work& work, std::int64_t epochs) {
  return epochs * ((work.training->size() - 1) / work.recipe.batch + 1);
}

bool train_on(const Work& work, graph::GraphModule& model, Tuning tuning) {
  const CompressionArguments& arguments = work.arguments;
  if (tuning.epochs == 0) {
    save(arguments.out, model, tuning.about);
    return true;
  }
  const Recipe& recipe = work.recipe;
  optim::MakeOptimizerOptions settings{.lr = rate(work, tuning)};
  const double decay = arguments.weight_decay > 0.0 ? arguments.weight_decay : recipe.weight_decay;
  if (decay > 0.0) settings.weight_decay = decay;
  const auto optimizer = optim::make_optimizer(recipe.optimizer, trainable(model), settings);
  // Saved, and compared when the run is resumed: the rate and schedules are functions of these.
  tuning.about =
      with(tuning.about, "tuning",
           concat({"epochs ", tuning.epochs, ", batch ", recipe.batch, ", lr ", settings.lr.value_or(0.0),
                   ", weight decay ", decay, ", seed ", arguments.common.seed}));
  const std::int64_t steps = steps_of(work, tuning.epochs);
  train::Trainer trainer(model, *optimizer,
                         {.loss = tuning.loss ? tuning.loss : recipe.loss,
                          .metrics = {recipe.task == "regression" ? train::Metric(train::RMSE()) : accuracy},
                          .checkpoint = arguments.out,
                          .checkpoint_every = arguments.checkpoint_every,
                          .resume = arguments.resume,
                          .about = tuning.about,
                          .schedule = tuning.schedule ? *tuning.schedule : optim::cosine_lr({.steps = steps}),
                          .step_callbacks = tuning.step_callbacks});
  try {
    const data::Dataset& training = tuning.training ? *tuning.training : *work.training;
    return !trainer.fit(training, {.epochs = tuning.epochs, .batch = recipe.batch}).stopped;
  } catch (const train::SaveError& error) {
    throw FailedRun(error.what());
  }
}

// ---- the end --------------------------------------------------------------------------------------------

namespace {

const char* figure_name(const compress::Report& report) {
  return report.regression ? "test_rmse" : "test_accuracy";
}

Figures figures_of(const compress::Report& report, const Figures& more) {
  const compress::ReportRow &before = report.rows[0], &after = report.rows[1];
  const std::string name = figure_name(report);
  Figures figures{{name + "_before", before.value},
                  {name, after.value},
                  {"difference", after.change},
                  {"difference_standard_error", after.change.standard_error}};
  figures.insert(figures.end(), more.begin(), more.end());
  figures.insert(figures.end(), {{"parameters", after.parameters},
                                 {"nonzero_parameters", after.nonzero},
                                 {"macs_before", before.macs},
                                 {"macs", after.macs},
                                 {"linnet_bytes_before", before.bytes},
                                 {"linnet_bytes", after.bytes},
                                 {"latency_us_before", before.latency_us},
                                 {"latency_us", after.latency_us},
                                 {"speedup", after.speedup},
                                 {"finished", true}});
  return figures;
}

/// How much worse: points of accuracy, or units of the error.
double drop(const compress::Report& report) {
  const double change = report.rows[1].change.value;
  return report.regression ? change : -100.0 * change;
}

void check_drop(const Work& work, const compress::Report& report) {
  const double limit = work.arguments.max_drop, lost = drop(report);
  if (limit < 0.0) return;
  char text[96];
  std::snprintf(text, sizeof text, "%.3g%s, --max-drop allows %.3g", lost,
                report.regression ? " more error" : " points of accuracy are lost", limit);
  check<FailedRun>(lost <= limit + 1e-9, work.command, ": ", static_cast<const char*>(text),
                   ". Train longer (--epochs), or compress less.");
}

}  // namespace

void conclude(const Work& work, bool finished, const Figures& more) {
  const CompressionArguments& arguments = work.arguments;
  if (!finished) return arguments.common.print({{"finished", false}});
  const std::string& first = arguments.baseline.empty() ? arguments.file : arguments.baseline;
  const Checkpoint before = Checkpoint::read(first), after = Checkpoint::read(arguments.out);
  const compress::Report report =
      compress::report({{"before", *before.model, export_options(before, first)},
                        {"after", *after.model, export_options(after, arguments.out)}},
                       *work.held_out);
  written([&] {
    for (const std::string& path : arguments.reports) report.write(path);
  });
  if (!arguments.common.json) report.print();
  arguments.common.print(figures_of(report, more));
  std::fflush(stdout);
  check_drop(work, report);
}

}  // namespace linnet::tools
