// SPDX-License-Identifier: Apache-2.0
#pragma once
// One call of Trainer::fit(): what it gathers and where it stands.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "linnet/graph/trace.h"
#include "linnet/train/stop_signal.h"
#include "linnet/train/trainer.h"

namespace linnet::train {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What an EMA of a model averages: parameters and buffers of numbers.
inline NamedTensors averaged(const nn::Module& model) {
  NamedTensors all = model.parameters();
  for (const NamedTensor& buffer : model.buffers())
    if (is_float(buffer.second.dtype())) all.push_back(buffer);
  return all;
}

/// How much the samples of a batch count together.
inline double weight_of(const data::Batch& batch) {
  if (!batch.weights.defined()) return static_cast<double>(batch.x.dim(0));
  double sum = 0.0;
  const Tensor weights = batch.weights.to(f64);
  for (const double w : weights.data<double>()) sum += w;
  return sum;
}

/// What the samples of an epoch came to so far.
struct Trainer::Tally {
  explicit Tally(const std::vector<Metric>& given) {
    for (const Metric& metric : given) {
      names.push_back(metric.name);
      metrics.push_back(metric.make());
    }
  }
  std::vector<std::string> names;
  std::vector<std::unique_ptr<StreamingMetric>> metrics;
  double loss = 0.0, weight = 0.0;  ///< sums over samples

  void add(const data::Batch& batch, const Tensor& prediction, double mean_loss) {
    const double batch_weight = weight_of(batch);
    for (const auto& metric : metrics) metric->update(prediction, batch.y);
    loss += mean_loss * batch_weight;
    weight += batch_weight;
  }
  Figures figures() const {
    Figures all{{"loss", weight > 0.0 ? loss / weight : 0.0}};
    for (std::size_t i = 0; i < metrics.size(); ++i) all.emplace_back(names[i], metrics[i]->value());
    return all;
  }

  State state() const {
    State state{{"loss", loss}, {"weight", weight}};
    for (std::size_t i = 0; i < metrics.size(); ++i) state.set(std::to_string(i), metrics[i]->state());
    return state;
  }
  void load(const State& state) {
    for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i]->load(state[std::to_string(i)].state());
    loss = state["loss"].real();
    weight = state["weight"].real();
  }
};

struct Trainer::Run {
  Run(const data::Dataset& dataset, const FitOptions& fit, const TrainerOptions& trainer)
      : options(fit),
        loader(dataset, {.batch = fit.batch, .shuffle = fit.shuffle}),
        tally(trainer.metrics),
        progress(trainer.show, fit.epochs, loader.batches(), loader.size()),
        stop(trainer.handle_signals) {}

  const FitOptions& options;
  data::Loader loader;
  Tally tally;
  Progress progress;
  StopSignal stop;
  FitResult result;
  Clock::time_point saved = Clock::now();
  graph::InputSpec sample;  ///< like one batch of x
  bool finished = false;
  std::int64_t gathered = 0;     ///< batches whose gradients wait for a step
  double gathered_weight = 0.0;  ///< of their samples

  std::int64_t epoch() const { return loader.epoch() + 1; }
};

}  // namespace linnet::train
