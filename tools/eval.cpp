// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "commands.h"
#include "fine_tune.h"
#include "linnet/autograd/autograd.h"
#include "linnet/core/error.h"
#include "linnet/data/loader.h"
#include "linnet/train/metrics.h"
#include "model_file.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

constexpr std::int64_t kBatch = 256;

/// Share of right answers, or root mean squared error, when `predict` maps a batch to what the model says.
template <class Predict>
Figures test_result(const data::Dataset& dataset, const std::string& task, Predict predict) {
  data::Loader batches(dataset, {.batch = kBatch});
  const bool numbers = task == "regression";
  const train::Metric chosen = numbers ? train::Metric(train::RMSE()) : train::Metric(train::Accuracy());
  const std::unique_ptr<train::StreamingMetric> metric = chosen.make();
  for (const auto& [x, y] : batches) metric->update(predict(x), y);
  return {test_figure(task, metric->value(), dataset.size())};
}

/// The runtime takes one sample at a time.
Tensor run_rows(RuntimeModel& model, const Tensor& x) {
  std::int64_t rows = x.dim(0), width = model.output_shape().size(), sample = x.size() / rows;
  Tensor y = Tensor::empty({rows, width});
  auto out = y.mutable_data<float>();
  for (std::int64_t i = 0; i < rows; ++i) {
    Tensor row = model.run(Tensor::from(x.data<float>().subspan(i * sample, sample), {sample}));
    std::copy_n(row.data<float>().begin(), width, out.begin() + i * width);
  }
  return y;
}

/// What a file says about its data, or what fits its input when it says nothing.
struct Task {
  std::string dataset, task, classes;
  data::Standardiser scale;
};

Task checked(Task said, const Shape& sample) {
  if (said.dataset.empty()) said.dataset = dataset_for_input(sample);
  if (said.task.empty()) said.task = task_of_dataset(said.dataset);
  return said;
}

Task task_of(const RuntimeModel& model) {
  const data::Standardiser scale(numbers_of_text(model.meta("standardise.mean")),
                                 numbers_of_text(model.meta("standardise.deviation")));
  return checked({model.meta("dataset"), model.meta("task"), model.meta("classes"), scale},
                 model.input_shape().without(0));
}

Task task_of(const Checkpoint& checkpoint) {
  return checked({checkpoint.about("dataset"), checkpoint.about("task"), checkpoint.about("classes"),
                  checkpoint.standardiser()},
                 checkpoint.sample_shape());
}

Figures evaluate(const std::string& file, const std::string& dir, std::int64_t& samples) {
  NoGrad no_grad;
  const auto open = [&](const Task& task) {
    auto dataset =
        prepared(of_classes(open_dataset(task.dataset, dir, data::Split::test), task.classes), task.scale);
    samples = dataset->size();
    return dataset;
  };
  if (is_runtime_file(file)) {
    RuntimeModel model(file);
    const Task task = task_of(model);
    return test_result(*open(task), task.task, [&](const Tensor& x) { return run_rows(model, x); });
  }
  Checkpoint checkpoint = Checkpoint::read(file);
  const Task task = task_of(checkpoint);
  return test_result(*open(task), task.task, [&](const Tensor& x) {
    return (*checkpoint.model)(x.reshape(checkpoint.sample_shape().inserted(0, x.dim(0))));
  });
}

}  // namespace

void eval(const EvalArguments& arguments) {
  arguments.common.apply();
  auto start = std::chrono::steady_clock::now();
  std::int64_t samples = 0;
  Figures figures = evaluate(arguments.file, arguments.data, samples);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  figures.emplace_back("samples_per_second", static_cast<double>(samples) / seconds);
  figures.emplace_back("file_bytes", file_bytes(arguments.file));
  arguments.common.print(figures);
}

}  // namespace linnet::tools
