// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics of classes. The prediction is logits [..., C] (or anything of their order, as probabilities), the
// target labels [...] of an integer type, or soft labels [..., C], of which the largest counts. With C = 1
// the logit is of a yes-or-no question: yes above 0; the target is then [...] or [..., 1], an integer 0 or 1,
// or a float that is yes above 0.5.

#include <cstdint>
#include <optional>
#include <vector>

#include "linnet/train/metric.h"

namespace linnet {

/// Share of rows whose largest logit is at the label, of one batch.
double accuracy(const Tensor& prediction, const Tensor& target);

namespace train {

/// Base of shares of right answers: numbers are {right, all}.
class ShareMetric : public StreamingMetric {
 public:
  double value() const override;
  Estimate estimate() const;
  std::int64_t samples() const;

 protected:
  bool fits(std::size_t count) const override { return count == 2; }
  void count(std::int64_t right, std::int64_t all);
};

/// accuracy over batches.
class Accuracy : public ShareMetric {
 public:
  std::string name() const override { return "accuracy"; }
  void update(const Tensor& prediction, const Tensor& target) override;
};

struct TopKAccuracyOptions {
  std::int64_t k = 5;
};

/// Share of rows whose label is among the k largest logits; of equal logits the first counts as larger.
class TopKAccuracy : public ShareMetric {
 public:
  /// ValueError unless k is at least 1.
  explicit TopKAccuracy(const TopKAccuracyOptions& options = {});
  std::string name() const override;
  void update(const Tensor& prediction, const Tensor& target) override;

 private:
  std::int64_t k_;
};

/// How often class i was taken for class j. Memory: C^2 numbers.
class ConfusionMatrix : public StreamingMetric {
 public:
  std::string name() const override { return "confusion_matrix"; }
  /// ValueError for a label outside 0..C-1, ShapeError when C is not that of the batches before.
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;  ///< the share on the diagonal: the accuracy

  std::int64_t classes() const;  ///< 0 before the first batch
  Tensor counts() const;         ///< [C, C] i64: row = label, column = prediction
  /// By class, 0 where nothing was counted:
  std::vector<double> precision() const;  ///< right / predicted as the class
  std::vector<double> recall() const;     ///< right / labelled as the class
  std::vector<double> f1() const;         ///< 2 right / (predicted + labelled)

 protected:
  bool fits(std::size_t count) const override;
  double at(std::int64_t label, std::int64_t guess) const;
  double labelled(std::int64_t c) const;
  double predicted(std::int64_t c) const;
  std::vector<double> ratios(double predicted_weight, double labelled_weight) const;
};

/// How the scores of classes become one number.
enum class Average {
  macro,  ///< mean over the classes that occur as label or prediction
  micro   ///< of all answers together: with one label a row, the accuracy
};

struct ClassScoreOptions {
  Average average = Average::macro;
  std::optional<std::int64_t> of_class = {};  ///< the score of this class alone
};

/// Base of precision, recall and F1 as one number. Of a yes-or-no question macro is over both answers; what
/// others report there is {.of_class = 1}.
class ClassScore : public ConfusionMatrix {
 public:
  explicit ClassScore(const ClassScoreOptions& options) : options_(options) {}
  /// As ConfusionMatrix; ValueError when of_class is none of the classes.
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;

 protected:
  virtual std::vector<double> scores() const = 0;

 private:
  ClassScoreOptions options_;
};

class Precision : public ClassScore {
 public:
  explicit Precision(const ClassScoreOptions& options = {}) : ClassScore(options) {}
  std::string name() const override { return "precision"; }

 protected:
  std::vector<double> scores() const override { return precision(); }
};

class Recall : public ClassScore {
 public:
  explicit Recall(const ClassScoreOptions& options = {}) : ClassScore(options) {}
  std::string name() const override { return "recall"; }

 protected:
  std::vector<double> scores() const override { return recall(); }
};

class F1 : public ClassScore {
 public:
  explicit F1(const ClassScoreOptions& options = {}) : ClassScore(options) {}
  std::string name() const override { return "f1"; }

 protected:
  std::vector<double> scores() const override { return f1(); }
};

/// Area under the ROC curve of a yes-or-no question: the share of (yes, no) pairs whose scores are in the
/// right order, equal scores counting half. Exact. The score is the prediction where it has the shape of the
/// target or C = 1, and z_1 - z_0 of logits [..., 2]. NaN until there are both. Memory: 16 bytes a sample.
class AUROC : public StreamingMetric {
 public:
  std::string name() const override { return "auroc"; }
  /// ValueError for a label that is neither 0 nor 1, and for a score that is NaN.
  void update(const Tensor& prediction, const Tensor& target) override;
  double value() const override;  ///< sorts: n log n

 protected:
  bool fits(std::size_t count) const override { return count % 2 == 0; }
};

}  // namespace train
}  // namespace linnet
