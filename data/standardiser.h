// SPDX-License-Identifier: Apache-2.0
#pragma once
// Standardiser: (x - mean) / deviation for each channel, with statistics of the training part only. They
// belong to the model: save them with it, and use them wherever it runs.
//
//   const auto scale = data::Standardiser::fit(training);
//   data::Transformed prepared(training, {scale.transform()}), held(held_out, {scale.transform()});
//   io::save("model.ckpt", {..., {"about", State{{"preprocessing", scale.state()}}}});

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/data/dataset.h"
#include "linnet/data/table.h"
#include "linnet/data/transform.h"

namespace linnet::data {

/// A channel that never changes tells nothing, and dividing by its deviation of 0 would make NaNs.
enum class Constant {
  refuse,
  keep,  ///< its deviation is 1, so that it becomes 0
};

class Standardiser {
 public:
  Standardiser() = default;  ///< of no channels: nothing is known yet
  /// ValueError unless they are as many, finite, and deviations above 0.
  Standardiser(std::vector<double> mean, std::vector<double> deviation);

  /// Statistics of the last axis of x over all samples (and steps, and pixels); the deviation divides by the
  /// number of values. ValueError for no samples, values that are not finite, and constant channels.
  static Standardiser fit(const Dataset& training, Constant constant = Constant::refuse);
  /// Of the columns of a table. IoError that names file, lines and column of a constant one.
  static Standardiser fit(const Table& training, Constant constant = Constant::refuse);

  bool empty() const { return mean_.empty(); }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& deviation() const { return deviation_; }
  Transform transform() const { return normalise({.mean = mean_, .std = deviation_}); }
  /// f32, standardised. ShapeError unless the last axis of x is that of the channels.
  Tensor operator()(const Tensor& x) const;

  State state() const;            ///< {"mean", "deviation"}, f64 [channels]
  void load(const State& state);  ///< StateError, with nothing changed, unless both are there and make sense

 private:
  std::vector<double> mean_, deviation_;
};

}  // namespace linnet::data
