// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/distil.h"

#include "compress.h"
#include "fine_tune.h"
#include "linnet/core/error.h"
#include "linnet/graph/new_head.h"
#include "linnet/graph/trace.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

/// The recipe's, for the data of the teacher.
Recipe student_of(const DistilArguments& arguments, const Work& work) {
  Recipe recipe = find_recipe(arguments.student);
  check<ValueError>(recipe.dataset == work.task.dataset, "distil: ", recipe.name, " is for ", recipe.dataset,
                    ", the teacher ", arguments.file, " for ", work.task.dataset,
                    ". Take a student of the same data.");
  check<ValueError>(!recipe.standardise || !work.task.scale.empty(), "distil: ", recipe.name,
                    " standardises its data, the teacher does not. Take another student.");
  if (arguments.epochs > 0) recipe.epochs = arguments.epochs;
  if (arguments.batch > 0) recipe.batch = arguments.batch;
  if (arguments.lr > 0.0) recipe.lr = arguments.lr;
  return recipe;
}

/// As `linnet train` starts it with the same seed.
graph::GraphModule fresh_network(const Work& work) {
  const auto recipe = std::make_unique<nn::Sequential>(work.recipe.build());
  graph::GraphModule traced(graph::trace(*recipe, work.source.sample_shape().inserted(0, 1)),
                            recipe->state());
  const std::int64_t outputs = graph::outputs_of(work.source.model->graph());
  if (graph::outputs_of(traced.graph()) == outputs) return traced;
  return graph::with_new_head(traced, outputs);
}

State about(const Work& work, const DistilArguments& arguments) {
  State said = work.recipe.about(work.task.scale);
  if (!work.task.classes.empty()) said.set("classes", work.task.classes);
  said.set("compression", concat({"distil ", arguments.file, " --temperature ", arguments.temperature,
                                  " --alpha ", arguments.alpha}));
  return said;
}

}  // namespace

void distil(const DistilArguments& arguments) {
  Work work(arguments, "distil");
  work.recipe = student_of(arguments, work);
  work.training = prepared(work.samples, work.task.scale, work.recipe.augment);
  graph::GraphModule student = fresh_network(work);
  const compress::Taught taught(*work.training, *work.source.model, {.remember = !work.training->random()});
  const bool finished = train_on(work, student,
                                 {.epochs = work.recipe.epochs,
                                  .about = about(work, arguments),
                                  .loss = compress::distil({.temperature = arguments.temperature,
                                                            .alpha = arguments.alpha,
                                                            .regression = work.task.task == "regression",
                                                            .hard = work.recipe.loss}),
                                  .training = &taught,
                                  .lr = work.recipe.lr,
                                  .schedule = work.recipe.schedule(taught.size())});
  conclude(work, finished, {{"epochs", work.recipe.epochs}});
}

}  // namespace linnet::tools
