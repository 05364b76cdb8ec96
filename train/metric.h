// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a metric is: an object that sees batches of (prediction, target) and has a value at any time. The
// value after any batches is the value of all their samples at once, exactly, however they were cut.

#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/core/tensor.h"

namespace linnet::train {

/// Base of metrics. What one keeps between batches is a list of numbers, which is all that is saved.
class StreamingMetric {
 public:
  virtual ~StreamingMetric() = default;
  virtual std::string name() const = 0;  ///< under which it is shown: "accuracy"
  /// Takes a batch in. ShapeError or ValueError when it does not fit; nothing has changed then.
  virtual void update(const Tensor& prediction, const Tensor& target) = 0;
  /// NaN as long as it is not defined: without samples, for example.
  virtual double value() const = 0;

  void reset() { numbers_.clear(); }
  State state() const;
  void load(const State& state);

 protected:
  /// Whether so many saved numbers can be those of this metric.
  virtual bool fits(std::size_t count) const;

  std::vector<double> numbers_;
};

/// A share of n independent samples with its standard error sqrt(p (1 - p) / n). Prints as "0.9812 +-
/// 0.0014".
struct Estimate {
  double value = 0.0, standard_error = 0.0;

  static Estimate of_share(double value, std::int64_t samples);
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const Estimate& estimate);

/// What the Trainer is given: a metric, or a function of one batch that is averaged over samples, and the
/// name under which it is shown. Functions of Linnet know their names:
///   .metrics = {accuracy, train::TopKAccuracy({.k = 3}), {"top2", train::TopKAccuracy({.k = 2})},
///               {"my_score", my_score}}
struct Metric {
  using Function = std::function<double(const Tensor&, const Tensor&)>;
  Metric(double (*function)(const Tensor&, const Tensor&));
  Metric(std::string metric_name, Function function);
  template <std::derived_from<StreamingMetric> M>
  Metric(const M& metric) : Metric(metric.name(), metric) {}
  template <std::derived_from<StreamingMetric> M>
  Metric(std::string metric_name, M metric)
      : name(std::move(metric_name)), make([metric = std::move(metric)] {
          auto copy = std::make_unique<M>(metric);
          copy->reset();
          return copy;
        }) {}

  std::string name;
  std::function<std::unique_ptr<StreamingMetric>()> make;  ///< a fresh one, without samples
};

}  // namespace linnet::train
