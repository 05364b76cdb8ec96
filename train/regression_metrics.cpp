// SPDX-License-Identifier: Apache-2.0
// Elements are added one by one in the order of samples, so that the sums do not depend on the batches.
#include "linnet/train/regression_metrics.h"

#include <cmath>
#include <limits>

#include "linnet/core/error.h"

namespace linnet::train {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void check_pair(const char* metric, const Tensor& prediction, const Tensor& target) {
  check<ShapeError>(prediction.shape() == target.shape(), metric, ": prediction ", prediction.shape(),
                    " and target ", target.shape(), " must have the same shape. Reshape one of them.");
  check<ShapeError>(prediction.size() > 0, metric, ": no elements in shape ", prediction.shape(), ".");
}

/// Adds term(prediction - target) of every element to {sum, elements}.
template <class Term>
void add_terms(std::vector<double>& numbers, const Tensor& prediction, const Tensor& target, Term term) {
  const Tensor p = prediction.detach().to(f64), t = target.detach().to(f64);
  numbers.resize(2, 0.0);
  for (std::int64_t i = 0; i < p.size(); ++i) numbers[0] += term(p.data<double>()[i] - t.data<double>()[i]);
  numbers[1] += static_cast<double>(p.size());
}

}  // namespace

void MAE::update(const Tensor& prediction, const Tensor& target) {
  check_pair("mae", prediction, target);
  add_terms(numbers_, prediction, target, [](double d) { return std::abs(d); });
}
double MAE::value() const { return numbers_.empty() ? kNaN : numbers_[0] / numbers_[1]; }

void RMSE::update(const Tensor& prediction, const Tensor& target) {
  check_pair("rmse", prediction, target);
  add_terms(numbers_, prediction, target, [](double d) { return d * d; });
}
double RMSE::value() const { return numbers_.empty() ? kNaN : std::sqrt(numbers_[0] / numbers_[1]); }

// numbers: samples, then for each output the mean of its targets, sum (t - mean)^2 and sum (t - p)^2.
// Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
void R2::update(const Tensor& prediction, const Tensor& target) {
  check_pair("r2", prediction, target);
  check<ShapeError>(target.rank() >= 1, "r2: expected an axis of samples, got shape ", target.shape(), ".");
  const auto outputs = static_cast<std::size_t>(target.size() / target.dim(0));
  check<ShapeError>(numbers_.empty() || numbers_.size() == 1 + 3 * outputs, "r2: ", outputs,
                    " outputs after batches of ", numbers_.empty() ? 0 : (numbers_.size() - 1) / 3, ".");
  numbers_.resize(1 + 3 * outputs, 0.0);
  const Tensor wide_p = prediction.detach().to(f64), wide_t = target.detach().to(f64);
  const auto p = wide_p.data<double>(), t = wide_t.data<double>();
  for (std::size_t begin = 0; begin < t.size(); begin += outputs) {
    numbers_[0] += 1.0;
    for (std::size_t k = 0; k < outputs; ++k) {
      double* sums = &numbers_[1 + 3 * k];
      const double x = t[begin + k], away = x - sums[0], rest = x - p[begin + k];
      sums[0] += away / numbers_[0];
      sums[1] += away * (x - sums[0]);
      sums[2] += rest * rest;
    }
  }
}

double R2::value() const {
  if (numbers_.empty() || numbers_[0] < 2.0) return kNaN;
  double sum = 0.0, outputs = 0.0;
  for (std::size_t k = 1; k < numbers_.size(); k += 3, outputs += 1.0) {
    const double total = numbers_[k + 1], rest = numbers_[k + 2];
    sum += total > 0.0 ? 1.0 - rest / total : (rest == 0.0 ? 1.0 : 0.0);
  }
  return sum / outputs;
}

}  // namespace linnet::train
