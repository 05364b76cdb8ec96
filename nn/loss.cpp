// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/loss.h"

#include <cmath>
#include <vector>

#include "linnet/autograd/ops.h"

namespace linnet::nn {

CrossEntropy::CrossEntropy(const CrossEntropyOptions& options) : smoothing_(options.label_smoothing) {
  check<ValueError>(smoothing_ >= 0.0 && smoothing_ < 1.0,
                    "CrossEntropy: label_smoothing must be in [0, 1), got ", smoothing_, ".");
  if (!options.class_weights.defined()) return;
  check<ShapeError>(options.class_weights.rank() == 1,
                    "CrossEntropy: class_weights must be a vector [C], got ", options.class_weights.shape(),
                    ".");
  weights_ = options.class_weights.to(f64).clone();
  for (const double weight : weights_.data<double>())
    check<ValueError>(std::isfinite(weight) && weight >= 0.0,
                      "CrossEntropy: class_weights must be finite and not negative, got ", weight, ".");
}

namespace {

void check_arguments(const Tensor& logits, const Tensor& target, const Tensor& weights) {
  check<DTypeError>(is_float(logits.dtype()), "CrossEntropy: logits must be f32 or f64, got ", logits.dtype(),
                    ".");
  check<ShapeError>(logits.rank() >= 1 && logits.size() > 0,
                    "CrossEntropy: logits need a last axis of classes and at least one row, got ",
                    logits.shape(), ".");
  const bool soft = is_float(target.dtype());
  const Shape expected = soft ? logits.shape() : logits.shape().without(logits.rank() - 1);
  check<ShapeError>(target.shape() == expected, "CrossEntropy: target does not fit logits ", logits.shape(),
                    ": expected ", expected, ", got ", target.shape(),
                    ". Labels are integers [...], soft labels are [..., C].");
  check<DTypeError>(!soft || target.dtype() == logits.dtype(),
                    "CrossEntropy: soft labels must have the type of the ", "logits: expected ",
                    logits.dtype(), ", got ", target.dtype(), ". Convert with to().");
  check<ShapeError>(!weights.defined() || weights.size() == logits.shape().back(),
                    "CrossEntropy: class_weights do not fit logits ", logits.shape(), ": expected ",
                    logits.shape().back(), " weights, got ", weights.defined() ? weights.size() : 0, ".");
}

}  // namespace

/// w_c q_rc in the shape of the logits, and Z.
Tensor CrossEntropy::soft_target(const Tensor& logits, const Tensor& target, double& divisor) const {
  const std::int64_t classes = logits.shape().back(), rows = logits.size() / classes;
  const auto weight = [&](std::int64_t c) { return weights_.defined() ? weights_.data<double>()[c] : 1.0; };
  const double spread = smoothing_ / static_cast<double>(classes);

  std::vector<double> q(static_cast<std::size_t>(logits.size()));
  divisor = 0.0;
  if (is_float(target.dtype())) {
    const Tensor given = target.detach().to(f64);
    for (std::int64_t i = 0; i < given.size(); ++i)
      q[i] = (1.0 - smoothing_) * given.data<double>()[i] + spread;
    divisor = static_cast<double>(rows);
  } else {
    const Tensor labels = target.to(i64);
    q.assign(q.size(), spread);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t label = labels.data<std::int64_t>()[r];
      check<ValueError>(label >= 0 && label < classes, "CrossEntropy: label out of range: row ", r,
                        " has label ", label, ", there are ", classes, " classes. Labels count from 0.");
      q[r * classes + label] += 1.0 - smoothing_;
      divisor += weight(label);
    }
  }
  check<ValueError>(divisor > 0.0, "CrossEntropy: all ", rows, " labels of the batch have class weight 0.",
                    " Use a small weight instead.");
  for (std::int64_t i = 0; i < logits.size(); ++i) q[i] *= weight(i % classes);
  return Tensor::from(q, logits.shape()).to(logits.dtype());
}

Tensor CrossEntropy::operator()(const Tensor& logits, const Tensor& target) const {
  check_arguments(logits, target, weights_);
  if (smoothing_ == 0.0 && !weights_.defined()) return cross_entropy(logits, target.detach());
  double divisor = 0.0;
  const Tensor q = soft_target(logits, target, divisor);
  return sum(log_softmax(logits) * q) * (-1.0 / divisor);
}

}  // namespace linnet::nn
