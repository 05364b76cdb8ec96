// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/evaluate.h"

#include <algorithm>
#include <cmath>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/compress/calibrate_impl.h"
#include "linnet/core/error.h"
#include "linnet/core/parallel.h"
#include "linnet/data/loader.h"
#include "linnet/deploy/engine.h"
#include "linnet/train/classification_metrics.h"

namespace linnet::compress {
namespace {

constexpr std::int64_t kBatch = 256;

double mean(const std::vector<double>& numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}

/// Of the mean of n numbers: deviation / sqrt(n).
double standard_error(const std::vector<double>& numbers) {
  const double n = static_cast<double>(numbers.size()), middle = mean(numbers);
  double squares = 0.0;
  for (const double number : numbers) squares += (number - middle) * (number - middle);
  return n > 1.0 ? std::sqrt(squares / (n - 1.0) / n) : 0.0;
}

void add_scores(Scores& scores, const Tensor& prediction, const Tensor& target) {
  check<ShapeError>(prediction.dim(0) == target.dim(0), "evaluate: ", target.dim(0), " samples have ",
                    prediction.dim(0), " outputs.");
  for (std::int64_t i = 0; i < target.dim(0); ++i) {
    const Tensor y = slice(prediction, 0, i, i + 1), t = slice(target, 0, i, i + 1);
    if (!scores.regression) {
      scores.of_sample.push_back(accuracy(y, t));
      continue;
    }
    check<ShapeError>(y.shape() == t.shape(), "evaluate: outputs ", y.shape(), " and targets ", t.shape(),
                      " differ in shape.");
    const Tensor error = sub(y, t).to(f64);
    double squares = 0.0;
    for (const double e : error.data<double>()) squares += e * e;
    scores.of_sample.push_back(squares / static_cast<double>(error.size()));
  }
}

/// The scores when `predict` maps a batch to what the model says.
template <class Predict>
Scores scores_of(const data::Dataset& dataset, Predict predict) {
  const NoGrad no_grad;
  Scores scores;
  data::Loader batches(dataset, {.batch = kBatch});
  for (const data::Batch& batch : batches) {
    check<ValueError>(batch.y.defined(), "evaluate: the dataset has no labels.");
    scores.regression = is_float(batch.y.dtype());
    add_scores(scores, predict(batch.x), batch.y);
  }
  return scores;
}

}  // namespace

train::Estimate Scores::value() const {
  if (!regression) return train::Estimate::of_share(mean(of_sample), size());
  const double root = std::sqrt(mean(of_sample));
  return {root, root > 0.0 ? standard_error(of_sample) / (2.0 * root) : 0.0};
}

train::Estimate paired_difference(const Scores& a, const Scores& b) {
  check<ValueError>(a.size() == b.size() && a.size() > 0 && a.regression == b.regression,
                    "paired_difference: scores of ", a.size(), " and ", b.size(),
                    " samples cannot be paired. Evaluate both on the same dataset.");
  const double of_a = a.value().value, of_b = b.value().value;
  const auto influence = [](const Scores& scores, double root, std::size_t i) {
    if (!scores.regression) return scores.of_sample[i];
    return root > 0.0 ? (scores.of_sample[i] - root * root) / (2.0 * root) : 0.0;
  };
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.of_sample.size(); ++i)
    differences.push_back(influence(a, of_a, i) - influence(b, of_b, i));
  return {of_a - of_b, standard_error(differences)};
}

bool is_quantized(const graph::Graph& graph) {
  return std::ranges::any_of(graph.nodes(),
                             [](const graph::Node& node) { return node.op == Op::fake_quant; });
}

Scores evaluate(graph::GraphModule& model, const data::Dataset& dataset) {
  if (is_quantized(model.graph()))
    return evaluate(deploy::build(model.graph(), model.state(), {.golden_cases = 0}), dataset);
  return simulate(model, dataset);
}

Scores simulate(graph::GraphModule& model, const data::Dataset& dataset) {
  const bool training = model.training();
  model.eval();
  Scores scores = scores_of(dataset, [&model](const Tensor& x) { return model(as_input(model, x)); });
  model.train(training);
  return scores;
}

Scores evaluate(const deploy::Image& image, const data::Dataset& dataset) {
  deploy::Engine engine(image.bytes, num_threads());
  return scores_of(dataset, [&engine](const Tensor& x) { return engine.run(x); });
}

}  // namespace linnet::compress
