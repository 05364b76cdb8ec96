// SPDX-License-Identifier: Apache-2.0
#include "linnet/nn/loss.h"

#include <cmath>

#include "linnet/autograd/ops.h"
#include "linnet/autograd/weighted_loss.h"
#include "linnet/core/error.h"
#include "linnet/nn/loss_weights.h"

namespace linnet::nn {
namespace {

void check_smoothing(const char* loss, double smoothing) {
  check<ValueError>(smoothing >= 0.0 && smoothing < 1.0, loss, ": label_smoothing must be in [0, 1), got ",
                    smoothing, ".");
}

/// An own f64 copy of class weights [C]; undefined when they are.
Tensor class_weights_of(const char* loss, const Tensor& weights) {
  if (!weights.defined()) return {};
  check<ShapeError>(weights.rank() == 1, loss, ": class_weights must be a vector [C], got ", weights.shape(),
                    ".");
  Tensor own = weights.to(f64).clone();
  check_not_negative(concat({loss, ": class_weights"}).c_str(), own);
  return own;
}

void check_class_weights(const char* loss, const Tensor& weights, const Tensor& logits) {
  check<ShapeError>(!weights.defined() || (logits.rank() >= 1 && weights.size() == logits.shape().back()),
                    loss, ": class_weights do not fit logits ", logits.shape(), ": expected ",
                    logits.rank() >= 1 ? logits.shape().back() : 0, " weights, got ",
                    weights.defined() ? weights.size() : 0, ".");
}

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
  check_class_weights("CrossEntropy", weights, logits);
}

/// The labels as i64, checked to be in 0..classes-1.
Tensor checked_labels(const Tensor& target, std::int64_t classes) {
  const Tensor labels = target.to(i64);
  const auto values = labels.data<std::int64_t>();
  for (std::size_t r = 0; r < values.size(); ++r)
    check<ValueError>(values[r] >= 0 && values[r] < classes, "CrossEntropy: label out of range: row ", r,
                      " has label ", values[r], ", there are ", classes, " classes. Labels count from 0.");
  return labels;
}

/// u_r w_c q_rc R / Z: the soft target whose cross-entropy, a mean over R rows, is the loss.
struct SoftTarget {
  const Tensor& class_weights;  ///< f64 or undefined
  const Tensor& row_weights;    ///< of the type T of the logits, mean 1, or undefined
  double smoothing;

  double class_weight(std::int64_t c) const {
    return class_weights.defined() ? class_weights.data<double>()[static_cast<std::size_t>(c)] : 1.0;
  }
  template <class T>
  double row_weight(std::int64_t r) const {
    return row_weights.defined() ? static_cast<double>(row_weights.data<T>()[static_cast<std::size_t>(r)])
                                 : 1.0;
  }

  /// `label` is null for soft labels, `soft` for labels.
  template <class T>
  void fill(const std::int64_t* label, const T* soft, T* q, std::int64_t rows, std::int64_t classes) const {
    double divisor = 0.0;
    bool counts = false;  // without sample weights, or with one above 0
    for (std::int64_t r = 0; r < rows; ++r) {
      divisor += row_weight<T>(r) * (label ? class_weight(label[r]) : 1.0);
      counts = counts || row_weight<T>(r) > 0.0;
    }
    check<ValueError>(divisor > 0.0 || !counts, "CrossEntropy: all ", rows,
                      " labels of the batch have class weight 0. Use a small weight instead.");
    const double scale = divisor > 0.0 ? static_cast<double>(rows) / divisor : 0.0;
    const double spread = smoothing / static_cast<double>(classes);
    for (std::int64_t r = 0; r < rows; ++r, q += classes) {
      const double factor = row_weight<T>(r) * scale;
      for (std::int64_t c = 0; c < classes; ++c) {
        const double t = label ? (c == label[r] ? 1.0 : 0.0) : static_cast<double>(soft[r * classes + c]);
        q[c] = static_cast<T>(factor * class_weight(c) * ((1.0 - smoothing) * t + spread));
      }
    }
  }
};

/// A loss of elements with sample weights.
Tensor weighted_mean(const char* loss, Op op, const Tensor& prediction, const Tensor& target,
                     const Tensor& sample_weights, double parameter) {
  return weighted_loss(op, prediction, target.detach(),
                       term_weights(loss, sample_weights, prediction.shape(), prediction.dtype()), parameter);
}

/// A loss of rows (the last axis) with sample weights.
Tensor weighted_mean_of_rows(const char* loss, Op op, const Tensor& prediction, const Tensor& target,
                             const Tensor& sample_weights) {
  const int axis = prediction.rank() - 1;
  const Shape rows = axis < 0 ? Shape() : prediction.shape().without(axis);
  return weighted_loss(op, prediction, target.detach(),
                       term_weights(loss, sample_weights, rows, prediction.dtype()), 0.0);
}

}  // namespace

// ---- CrossEntropy -----------------------------------------------------------------------------------
CrossEntropy::CrossEntropy(const CrossEntropyOptions& options) : smoothing_(options.label_smoothing) {
  check_smoothing("CrossEntropy", smoothing_);
  weights_ = class_weights_of("CrossEntropy", options.class_weights);
}

Tensor CrossEntropy::operator()(const Tensor& logits, const Tensor& target) const {
  return (*this)(logits, target, {});
}

Tensor CrossEntropy::operator()(const Tensor& logits, const Tensor& target,
                                const Tensor& sample_weights) const {
  check_arguments(logits, target, weights_);
  if (smoothing_ == 0.0 && !weights_.defined() && !sample_weights.defined())
    return cross_entropy(logits, target.detach());
  const std::int64_t classes = logits.shape().back(), rows = logits.size() / classes;
  const bool soft = is_float(target.dtype());
  const Tensor labels = soft ? Tensor() : checked_labels(target, classes);
  const Tensor row_weights =
      term_weights("CrossEntropy", sample_weights, logits.shape().without(logits.rank() - 1), logits.dtype());
  Tensor q = Tensor::empty(logits.shape(), logits.dtype());
  dispatch_float("CrossEntropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    SoftTarget{weights_, row_weights, smoothing_}.fill(soft ? nullptr : labels.data<std::int64_t>().data(),
                                                       soft ? target.data<T>().data() : nullptr,
                                                       q.mutable_data<T>().data(), rows, classes);
  });
  return cross_entropy(logits, q);
}

// ---- BCEWithLogits ----------------------------------------------------------------------------------
BCEWithLogits::BCEWithLogits(const BCEWithLogitsOptions& options) : smoothing_(options.label_smoothing) {
  check_smoothing("BCEWithLogits", smoothing_);
  if (!options.pos_weight.defined()) return;
  check<ShapeError>(options.pos_weight.rank() <= 1, "BCEWithLogits: pos_weight must be a vector [C], got ",
                    options.pos_weight.shape(), ".");
  pos_weight_ = options.pos_weight.to(f64).clone();
  for (const double weight : pos_weight_.data<double>())
    check<ValueError>(std::isfinite(weight) && weight > 0.0,
                      "BCEWithLogits: pos_weight must be finite and above 0, got ", weight, ".");
}

Tensor BCEWithLogits::operator()(const Tensor& logits, const Tensor& target) const {
  return (*this)(logits, target, {});
}

// With a = 1 + (P - 1) t:  -(P t log p + (1 - t) log(1 - p)) = a bce(z, P t / a).
Tensor BCEWithLogits::operator()(const Tensor& logits, const Tensor& target,
                                 const Tensor& sample_weights) const {
  check<DTypeError>(is_float(logits.dtype()), "BCEWithLogits: logits must be f32 or f64, got ",
                    logits.dtype(), ".");
  check<ShapeError>(logits.shape() == target.shape() && logits.size() > 0,
                    "BCEWithLogits: target does not fit logits ", logits.shape(), ": got ", target.shape(),
                    ".");
  const std::int64_t classes = pos_weight_.defined() ? pos_weight_.size() : 1;
  check<ShapeError>(classes == 1 || (logits.rank() >= 1 && logits.shape().back() == classes),
                    "BCEWithLogits: pos_weight has ", classes, " weights, which do not fit logits ",
                    logits.shape(), ".");
  Tensor t = target.detach().to(logits.dtype());
  Tensor weights = term_weights("BCEWithLogits", sample_weights, logits.shape(), logits.dtype());
  if (smoothing_ == 0.0 && !pos_weight_.defined())
    return weighted_loss(Op::bce_with_logits, logits, t, weights, 0.0);

  t = t.clone();
  if (pos_weight_.defined() && !weights.defined()) weights = Tensor::ones(logits.shape(), logits.dtype());
  dispatch_float("BCEWithLogits", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto values = t.mutable_data<T>();
    for (T& value : values)
      value = static_cast<T>((1.0 - smoothing_) * static_cast<double>(value) + 0.5 * smoothing_);
    if (!pos_weight_.defined()) return;
    const auto positive = pos_weight_.data<double>();
    auto factors = weights.mutable_data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double p = positive[i % positive.size()], yes = p * static_cast<double>(values[i]);
      const double a = yes + 1.0 - static_cast<double>(values[i]);
      factors[i] = static_cast<T>(static_cast<double>(factors[i]) * a);
      values[i] = static_cast<T>(yes / a);
    }
  });
  return weighted_loss(Op::bce_with_logits, logits, t, weights, 0.0);
}

// ---- FocalLoss --------------------------------------------------------------------------------------
FocalLoss::FocalLoss(const FocalLossOptions& options) : options_(options) {
  check<ValueError>(std::isfinite(options.gamma) && options.gamma >= 0.0,
                    "FocalLoss: gamma must be finite and not negative, got ", options.gamma, ".");
  check<ValueError>(!options.alpha || (*options.alpha >= 0.0 && *options.alpha <= 1.0),
                    "FocalLoss: alpha must be in 0..1, got ", options.alpha.value_or(0.0), ".");
  options_.class_weights = class_weights_of("FocalLoss", options.class_weights);
}

/// Sample weights times alpha or class weights, for each term; undefined when there are none.
Tensor FocalLoss::factors(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const {
  const Shape& terms = target.shape();
  Tensor factors = term_weights("FocalLoss", sample_weights, terms, logits.dtype());
  if (!options_.alpha && !options_.class_weights.defined()) return factors;
  if (!factors.defined()) factors = Tensor::ones(terms, logits.dtype());
  const Tensor labels = options_.alpha ? Tensor() : target.to(i64);
  dispatch_float("FocalLoss", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto values = factors.mutable_data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      double factor = 1.0;
      if (options_.alpha) {
        const auto t = static_cast<double>(target.data<T>()[i]);
        factor = *options_.alpha * t + (1.0 - *options_.alpha) * (1.0 - t);
      } else {
        const std::int64_t label = labels.data<std::int64_t>()[i];  // a bad one is refused by focal
        if (label >= 0 && label < options_.class_weights.size())
          factor = options_.class_weights.data<double>()[static_cast<std::size_t>(label)];
      }
      values[i] = static_cast<T>(static_cast<double>(values[i]) * factor);
    }
  });
  return factors;
}

Tensor FocalLoss::operator()(const Tensor& logits, const Tensor& target) const {
  return (*this)(logits, target, {});
}

Tensor FocalLoss::operator()(const Tensor& logits, const Tensor& target, const Tensor& sample_weights) const {
  const bool binary = is_float(target.dtype());
  check<ValueError>(binary || !options_.alpha,
                    "FocalLoss: alpha weighs yes against no, the target has labels. Use class_weights.");
  check<ValueError>(!binary || !options_.class_weights.defined(),
                    "FocalLoss: class_weights need integer labels, the target is ", target.dtype(),
                    ". Use alpha.");
  check_class_weights("FocalLoss", options_.class_weights, logits);
  check<DTypeError>(!binary || target.dtype() == logits.dtype(), "FocalLoss: the target is ", target.dtype(),
                    ", the logits are ", logits.dtype(), ". Convert one with to().");
  return weighted_loss(Op::focal, logits, target.detach(), factors(logits, target, sample_weights),
                       options_.gamma);
}

// ---- elementwise ------------------------------------------------------------------------------------
Huber::Huber(const HuberOptions& options) : delta_(options.delta) {
  check<ValueError>(std::isfinite(delta_) && delta_ > 0.0, "Huber: delta must be finite and above 0, got ",
                    delta_, ".");
}

Tensor Huber::operator()(const Tensor& prediction, const Tensor& target) const {
  return (*this)(prediction, target, {});
}
Tensor Huber::operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const {
  return weighted_mean("Huber", Op::huber, prediction, target, sample_weights, delta_);
}

Tensor MSE::operator()(const Tensor& prediction, const Tensor& target) const {
  return (*this)(prediction, target, {});
}
Tensor MSE::operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const {
  return weighted_mean("MSE", Op::mse, prediction, target, sample_weights, 0.0);
}

Tensor MAE::operator()(const Tensor& prediction, const Tensor& target) const {
  return (*this)(prediction, target, {});
}
Tensor MAE::operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const {
  return weighted_mean("MAE", Op::mae, prediction, target, sample_weights, 0.0);
}

Tensor Hinge::operator()(const Tensor& prediction, const Tensor& target) const {
  return (*this)(prediction, target, {});
}
Tensor Hinge::operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weights) const {
  return weighted_mean("Hinge", Op::hinge, prediction, target, sample_weights, 0.0);
}

// ---- rows -------------------------------------------------------------------------------------------
Tensor KLDiv::operator()(const Tensor& log_probabilities, const Tensor& target) const {
  return (*this)(log_probabilities, target, {});
}
Tensor KLDiv::operator()(const Tensor& log_probabilities, const Tensor& target,
                         const Tensor& sample_weights) const {
  return weighted_mean_of_rows("KLDiv", Op::kl_div, log_probabilities, target, sample_weights);
}

Tensor CosineLoss::operator()(const Tensor& prediction, const Tensor& target) const {
  return (*this)(prediction, target, {});
}
Tensor CosineLoss::operator()(const Tensor& prediction, const Tensor& target,
                              const Tensor& sample_weights) const {
  return weighted_mean_of_rows("CosineLoss", Op::cosine_loss, prediction, target, sample_weights);
}

}  // namespace linnet::nn
