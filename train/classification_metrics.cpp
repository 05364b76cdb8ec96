// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/classification_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"

namespace linnet {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Labels and predicted classes of a batch, one a row.
struct Answers {
  std::vector<std::int64_t> label, guess;
  std::int64_t classes;
};

std::vector<std::int64_t> list_of(const Tensor& t) {
  const auto values = t.data<std::int64_t>();
  return {values.begin(), values.end()};
}

std::vector<std::int64_t> above(const Tensor& t, double limit) {
  const Tensor wide = t.detach().to(f64);
  std::vector<std::int64_t> yes;
  for (const double value : wide.data<double>()) yes.push_back(value > limit ? 1 : 0);
  return yes;
}

std::vector<std::int64_t> labels_of(const Tensor& target) { return list_of(target.to(i64)); }

Answers answers_of(const char* metric, const Tensor& prediction, const Tensor& target) {
  check<ShapeError>(prediction.rank() >= 1 && prediction.size() > 0, metric,
                    ": no samples in a prediction of shape ", prediction.shape(), ".");
  const std::int64_t classes = prediction.dim(-1);
  check<ShapeError>(
      prediction.rank() >= 2 || classes == 1 || !is_float(target.dtype()), metric, ": prediction ",
      prediction.shape(), " with a target of floats ", target.shape(),
      " may be one row of soft labels or many yes-or-no logits. Reshape both to [1, C] or [N, 1].");
  const Shape rows = prediction.shape().without(prediction.rank() - 1);
  const bool soft = is_float(target.dtype()) && target.shape() == prediction.shape();
  const bool fits = target.shape() == rows ? classes == 1 || !is_float(target.dtype())
                                           : soft || (classes == 1 && target.shape() == prediction.shape());
  check<ShapeError>(fits, metric, ": prediction ", prediction.shape(), " needs labels of shape ", rows,
                    ", got ", target.shape(), ".");
  if (classes == 1)
    return {is_float(target.dtype()) ? above(target, 0.5) : labels_of(target), above(prediction, 0.0), 2};
  return {soft ? list_of(argmax(target.detach())) : labels_of(target), list_of(argmax(prediction.detach())),
          classes};
}

std::int64_t right_ones(const Answers& answers) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < answers.label.size(); ++i) right += answers.label[i] == answers.guess[i];
  return right;
}

}  // namespace

double accuracy(const Tensor& prediction, const Tensor& target) {
  const Answers answers = answers_of("accuracy", prediction, target);
  return static_cast<double>(right_ones(answers)) / static_cast<double>(answers.label.size());
}

namespace train {

// ---- shares -----------------------------------------------------------------------------------------
void ShareMetric::count(std::int64_t right, std::int64_t all) {
  numbers_.resize(2, 0.0);
  numbers_[0] += static_cast<double>(right);
  numbers_[1] += static_cast<double>(all);
}

double ShareMetric::value() const { return numbers_.empty() ? kNaN : numbers_[0] / numbers_[1]; }

std::int64_t ShareMetric::samples() const {
  return numbers_.empty() ? 0 : static_cast<std::int64_t>(numbers_[1]);
}

Estimate ShareMetric::estimate() const { return Estimate::of_share(value(), samples()); }

void Accuracy::update(const Tensor& prediction, const Tensor& target) {
  const Answers answers = answers_of("accuracy", prediction, target);
  count(right_ones(answers), static_cast<std::int64_t>(answers.label.size()));
}

TopKAccuracy::TopKAccuracy(const TopKAccuracyOptions& options) : k_(options.k) {
  check<ValueError>(k_ >= 1, "TopKAccuracy: k must be at least 1, got ", k_, ".");
}

std::string TopKAccuracy::name() const { return concat({"top", k_, "_accuracy"}); }

void TopKAccuracy::update(const Tensor& prediction, const Tensor& target) {
  const Answers answers = answers_of("top_k_accuracy", prediction, target);
  check<ShapeError>(prediction.dim(-1) > 1, "top_k_accuracy: expected logits of several classes, got ",
                    prediction.shape(), ".");
  const Tensor z = prediction.detach().to(f64);
  std::int64_t right = 0;
  for (std::size_t r = 0; r < answers.label.size(); ++r) {
    const std::int64_t label = answers.label[r];
    if (label < 0 || label >= answers.classes) continue;
    const auto row = z.data<double>().subspan(r * static_cast<std::size_t>(answers.classes),
                                              static_cast<std::size_t>(answers.classes));
    const auto at = static_cast<std::size_t>(label);
    std::int64_t before = 0;
    for (std::size_t c = 0; c < row.size(); ++c) before += row[c] > row[at] || (c < at && row[c] == row[at]);
    right += before < k_;
  }
  count(right, static_cast<std::int64_t>(answers.label.size()));
}

// ---- confusion matrix -------------------------------------------------------------------------------
std::int64_t ConfusionMatrix::classes() const {
  return std::llround(std::sqrt(static_cast<double>(numbers_.size())));
}

bool ConfusionMatrix::fits(std::size_t count) const {
  const auto side = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(count))));
  return side * side == count;
}

double ConfusionMatrix::at(std::int64_t label, std::int64_t guess) const {
  return numbers_[static_cast<std::size_t>(label * classes() + guess)];
}

void ConfusionMatrix::update(const Tensor& prediction, const Tensor& target) {
  const Answers answers = answers_of("confusion_matrix", prediction, target);
  const std::int64_t n = answers.classes;
  check<ShapeError>(numbers_.empty() || n == classes(), "confusion_matrix: ", n, " classes after batches of ",
                    classes(), ".");
  for (std::size_t i = 0; i < answers.label.size(); ++i)
    check<ValueError>(answers.label[i] >= 0 && answers.label[i] < n, "confusion_matrix: label ",
                      answers.label[i], " at position ", i, " is outside 0..", n - 1, ".");
  numbers_.resize(static_cast<std::size_t>(n * n), 0.0);
  for (std::size_t i = 0; i < answers.label.size(); ++i)
    numbers_[static_cast<std::size_t>(answers.label[i] * n + answers.guess[i])] += 1.0;
}

Tensor ConfusionMatrix::counts() const { return Tensor::from(numbers_, {classes(), classes()}).to(i64); }

double ConfusionMatrix::labelled(std::int64_t c) const {
  double sum = 0.0;
  for (std::int64_t guess = 0; guess < classes(); ++guess) sum += at(c, guess);
  return sum;
}

double ConfusionMatrix::predicted(std::int64_t c) const {
  double sum = 0.0;
  for (std::int64_t label = 0; label < classes(); ++label) sum += at(label, c);
  return sum;
}

/// right / (a predicted + b labelled), by class.
std::vector<double> ConfusionMatrix::ratios(double a, double b) const {
  std::vector<double> all;
  for (std::int64_t c = 0; c < classes(); ++c) {
    const double of = a * predicted(c) + b * labelled(c);
    all.push_back(of > 0.0 ? at(c, c) / of : 0.0);
  }
  return all;
}

std::vector<double> ConfusionMatrix::precision() const { return ratios(1.0, 0.0); }
std::vector<double> ConfusionMatrix::recall() const { return ratios(0.0, 1.0); }
std::vector<double> ConfusionMatrix::f1() const { return ratios(0.5, 0.5); }

double ConfusionMatrix::value() const {
  double right = 0.0, all = 0.0;
  for (std::int64_t c = 0; c < classes(); ++c) {
    right += at(c, c);
    all += labelled(c);
  }
  return all > 0.0 ? right / all : kNaN;
}

void ClassScore::update(const Tensor& prediction, const Tensor& target) {
  if (options_.of_class && prediction.rank() > 0) {
    const std::int64_t classes = std::max<std::int64_t>(prediction.dim(-1), 2);
    check<ValueError>(*options_.of_class >= 0 && *options_.of_class < classes, name(), ": of_class is ",
                      *options_.of_class, ", there are ", classes, " classes.");
  }
  ConfusionMatrix::update(prediction, target);
}

double ClassScore::value() const {
  if (numbers_.empty()) return kNaN;
  const std::vector<double> by_class = scores();
  if (options_.of_class) return by_class.at(static_cast<std::size_t>(*options_.of_class));
  if (options_.average == Average::micro) return ConfusionMatrix::value();
  double sum = 0.0, occurring = 0.0;
  for (std::int64_t c = 0; c < classes(); ++c) {
    if (labelled(c) + predicted(c) == 0.0) continue;
    sum += by_class[static_cast<std::size_t>(c)];
    occurring += 1.0;
  }
  return sum / occurring;
}

// ---- AUROC ------------------------------------------------------------------------------------------
void AUROC::update(const Tensor& prediction, const Tensor& target) {
  const bool rows_fit = prediction.rank() >= 1 &&
                        target.shape() == prediction.shape().without(prediction.rank() - 1) &&
                        prediction.dim(-1) <= 2;
  check<ShapeError>(rows_fit || target.shape() == prediction.shape(), "auroc: prediction ",
                    prediction.shape(), " does not fit target ", target.shape(),
                    ". Give one score or two logits for every label of 0 or 1.");
  const bool two = rows_fit && prediction.dim(-1) == 2;
  const Tensor z = prediction.detach().to(f64), t = target.detach().to(f64);
  const auto scores = z.data<double>(), labels = t.data<double>();
  std::vector<double> added;  // score, label, score, label, ...
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double score = two ? scores[2 * i + 1] - scores[2 * i] : scores[i];
    check<ValueError>(!std::isnan(score), "auroc: the score at position ", i, " is NaN.");
    check<ValueError>(labels[i] == 0.0 || labels[i] == 1.0, "auroc: label ", labels[i], " at position ", i,
                      " is neither 0 nor 1.");
    added.insert(added.end(), {score, labels[i]});
  }
  numbers_.insert(numbers_.end(), added.begin(), added.end());
}

// Of each run of equal scores, its yes are above all no before it and half above its own.
double AUROC::value() const {
  std::vector<std::pair<double, double>> samples;
  for (std::size_t i = 0; i < numbers_.size(); i += 2) samples.emplace_back(numbers_[i], numbers_[i + 1]);
  std::sort(samples.begin(), samples.end());
  double ordered = 0.0, yes = 0.0, no = 0.0;
  for (std::size_t begin = 0; begin < samples.size();) {
    double yes_here = 0.0, no_here = 0.0;
    std::size_t i = begin;
    for (; i < samples.size() && samples[i].first == samples[begin].first; ++i)
      (samples[i].second == 1.0 ? yes_here : no_here) += 1.0;
    ordered += yes_here * (no + 0.5 * no_here);
    yes += yes_here;
    no += no_here;
    begin = i;
  }
  return yes > 0.0 && no > 0.0 ? ordered / (yes * no) : kNaN;
}

}  // namespace train
}  // namespace linnet
