// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>

#include "commands.h"
#include "linnet/autograd/autograd.h"
#include "linnet/compress/evaluate.h"
#include "linnet/core/error.h"
#include "linnet/data/loader.h"
#include "linnet/train/metrics.h"
#include "model_file.h"
#include "task.h"

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

Figures evaluate(const std::string& file, const std::string& dir, std::int64_t& samples) {
  NoGrad no_grad;
  const auto open = [&](const Task& task) {
    auto dataset = task.test_data(dir);
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
  if (compress::is_quantized(checkpoint.model->graph())) {
    std::fprintf(stderr, "quantized: evaluated as exported, by the integer engine\n");
    const double value = compress::evaluate(*checkpoint.model, *open(task)).value().value;
    return {test_figure(task.task, value, samples)};
  }
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
