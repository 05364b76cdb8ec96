// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/metric.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <ostream>

#include "linnet/core/error.h"
#include "linnet/train/classification_metrics.h"

namespace linnet::train {
namespace {

/// The mean over samples of a function of one batch: numbers are {sum, samples}.
class BatchMean : public StreamingMetric {
 public:
  BatchMean(std::string name, Metric::Function function)
      : name_(std::move(name)), function_(std::move(function)) {}
  std::string name() const override { return name_; }
  void update(const Tensor& prediction, const Tensor& target) override {
    const double rows = static_cast<double>(prediction.rank() > 0 ? prediction.dim(0) : 1);
    const double mean = function_(prediction, target);
    numbers_.resize(2, 0.0);
    numbers_[0] += mean * rows;
    numbers_[1] += rows;
  }
  double value() const override {
    return numbers_.empty() ? std::numeric_limits<double>::quiet_NaN() : numbers_[0] / numbers_[1];
  }

 protected:
  bool fits(std::size_t count) const override { return count == 2; }

 private:
  std::string name_;
  Metric::Function function_;
};

}  // namespace

State StreamingMetric::state() const {
  State state{{"name", name()}};
  if (!numbers_.empty()) state.set("numbers", Tensor::from(numbers_));
  return state;
}

bool StreamingMetric::fits(std::size_t) const { return true; }

void StreamingMetric::load(const State& state) {
  check<StateError>(state["name"].text() == name(), "metric: expected the state of ", name(),
                    ", got that of ", state["name"].text(), ".");
  std::vector<double> numbers;
  if (state.has("numbers")) {
    const Tensor saved = state["numbers"].tensor();
    numbers.assign(saved.data<double>().begin(), saved.data<double>().end());
    check<StateError>(fits(numbers.size()), "metric: ", numbers.size(), " saved numbers are none of ", name(),
                      ".");
  }
  numbers_ = std::move(numbers);
}

Estimate Estimate::of_share(double value, std::int64_t samples) {
  return {value, std::sqrt(value * (1.0 - value) / static_cast<double>(samples))};
}

std::string Estimate::text() const {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.4f +- %.4f", value, standard_error);
  return buffer;
}

std::ostream& operator<<(std::ostream& out, const Estimate& estimate) { return out << estimate.text(); }

Metric::Metric(double (*function)(const Tensor&, const Tensor&)) : Metric("metric", function) {
  if (function == &accuracy) *this = Metric(Accuracy());
}

Metric::Metric(std::string metric_name, Function function)
    : name(std::move(metric_name)), make([name = name, function = std::move(function)] {
        return std::make_unique<BatchMean>(name, function);
      }) {}

}  // namespace linnet::train
