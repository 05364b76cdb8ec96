// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics of numbers. Prediction and target have one shape [N, ...] and type; sums are in f64.

#include "linnet/train/metric.h"

namespace linnet::train {

/// Mean over elements of |prediction - target|.
class MAE : public StreamingMetric {
 public:
  std::string name() const override { return "mae"; }
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;

 protected:
  bool fits(std::size_t count) const override { return count == 2; }
};

/// Square root of the mean over elements of (prediction - target)^2.
class RMSE : public StreamingMetric {
 public:
  std::string name() const override { return "rmse"; }
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;

 protected:
  bool fits(std::size_t count) const override { return count == 2; }
};

/// Coefficient of determination, 1 - sum (t - p)^2 / sum (t - mean t)^2 over samples, the mean over outputs
/// (the axes behind the first). An output whose targets are all equal scores 1 when it is met exactly, else
/// 0. NaN below two samples. Memory: three numbers an output.
class R2 : public StreamingMetric {
 public:
  std::string name() const override { return "r2"; }
  /// ShapeError when the outputs are not as many as before.
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;

 protected:
  bool fits(std::size_t count) const override { return count % 3 == 1; }
};

}  // namespace linnet::train
