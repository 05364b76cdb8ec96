// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "commands.h"
#include "linnet/autograd/autograd.h"
#include "linnet/core/error.h"
#include "linnet/data/loader.h"
#include "linnet/train/metrics.h"
#include "model_file.h"
#include "recipes.h"

namespace linnet::tools {
namespace {

constexpr std::int64_t kBatch = 256;

/// Share of right answers when `predict` maps a batch to its logits.
template <class Predict>
train::Estimate test_accuracy(const data::Dataset& dataset, Predict predict) {
  data::Loader batches(dataset, {.batch = kBatch});
  train::Accuracy right;
  for (const auto& [x, y] : batches) right.update(predict(x), y);
  return right.estimate();
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

std::string chosen_dataset(const std::string& named, const Shape& sample) {
  return named.empty() ? dataset_for_input(sample) : named;
}

train::Estimate evaluate(const std::string& file, const std::string& dir, std::int64_t& samples) {
  NoGrad no_grad;
  auto open = [&](const std::string& named, const Shape& sample) {
    auto dataset = open_dataset(chosen_dataset(named, sample), dir, data::Split::test);
    samples = dataset->size();
    return dataset;
  };
  if (is_runtime_file(file)) {
    RuntimeModel model(file);
    auto dataset = open(model.meta("dataset"), model.input_shape().without(0));
    return test_accuracy(*dataset, [&](const Tensor& x) { return run_rows(model, x); });
  }
  Checkpoint checkpoint = Checkpoint::read(file);
  auto dataset = open(checkpoint.about("dataset"), checkpoint.sample_shape());
  return test_accuracy(*dataset, [&](const Tensor& x) {
    return (*checkpoint.model)(x.reshape(checkpoint.sample_shape().inserted(0, x.dim(0))));
  });
}

}  // namespace

void eval(const EvalArguments& arguments) {
  arguments.common.apply();
  auto start = std::chrono::steady_clock::now();
  std::int64_t samples = 0;
  const train::Estimate result = evaluate(arguments.file, arguments.data, samples);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  arguments.common.print({{"test_accuracy", result},
                          {"samples_per_second", static_cast<double>(samples) / seconds},
                          {"file_bytes", file_bytes(arguments.file)}});
}

}  // namespace linnet::tools
