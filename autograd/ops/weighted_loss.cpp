// SPDX-License-Identifier: Apache-2.0
// The losses that are a mean of weighted terms. Terms and slopes: core/kernels/loss_rows.inl.
#include "linnet/autograd/weighted_loss.h"

#include <array>
#include <cmath>
#include <utility>

#include "linnet/autograd/ops/common.h"
#include "linnet/autograd/ops/labels.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loss.h"
#include "linnet/core/kernels/softmax.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

constexpr double kHuberDelta = 1.0, kFocalGamma = 2.0;

kernels::Loss kernel_of(Op op) {
  switch (op) {
    case Op::mse:
      return kernels::Loss::mse;
    case Op::mae:
      return kernels::Loss::mae;
    case Op::bce_with_logits:
      return kernels::Loss::bce;
    case Op::huber:
      return kernels::Loss::huber;
    case Op::hinge:
      return kernels::Loss::hinge;
    case Op::focal:
      return kernels::Loss::focal;
    case Op::kl_div:
      return kernels::Loss::kl;
    default:
      fail<ValueError>("weighted_loss: ", name(op), " is not a loss with weights.");
  }
}

bool has_parameter(Op op) { return op == Op::huber || op == Op::focal; }

void check_pair(const char* op, const Tensor& prediction, const Tensor& target) {
  check_float(op, "prediction", prediction);
  check_float(op, "target", target);
  check_same_dtype(op, "prediction", prediction, "target", target);
  check<ShapeError>(prediction.shape() == target.shape(), op, ": prediction ", prediction.shape(),
                    " and target ", target.shape(), " must have the same shape. Reshape one of them.");
  check<ShapeError>(prediction.size() > 0, op, ": no elements in shape ", prediction.shape(), ".");
}

void check_weights(const char* op, const Tensor& weights, const Tensor& prediction, const Shape& terms) {
  if (!weights.defined()) return;
  check_same_dtype(op, "prediction", prediction, "weights", weights);
  check<ShapeError>(weights.shape() == terms, op, ": expected one weight for each term ", terms, ", got ",
                    weights.shape(), ".");
}

void check_signs(const Tensor& target) {
  dispatch_float("hinge", target.dtype(), [&](auto zero) {
    auto values = std::span(readable<decltype(zero)>(target), static_cast<std::size_t>(target.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      check<ValueError>(values[i] == 1 || values[i] == 0 || values[i] == -1, "hinge: target ",
                        static_cast<double>(values[i]), " at position ", i,
                        " is not a label. Labels are -1 and 1, or 0 and 1.");
  });
}

/// The inputs of the record: the weights only when there are any.
struct LossInputs {
  std::array<Tensor, 3> tensors;
  Inputs list() const { return std::span(tensors.data(), tensors[2].defined() ? 3u : 2u); }
};

/// A mean over elements. `inputs` are the arguments as the caller gave them; target and weights were made
/// fit.
Tensor elementwise(Op op, const LossInputs& inputs, const Tensor& target, const kernels::LossTerms& terms) {
  const kernels::Loss loss = kernel_of(op);
  const Tensor& prediction = inputs.tensors[0];
  const bool keep = any_grad({&prediction, &inputs.tensors[1]});
  return record(
      op, kernels::elementwise_loss(loss, prediction, target, terms), inputs.list(),
      [&] {
        return has_parameter(op) ? State{{"p", terms.parameter}} : State();
      },
      [loss, parameter = terms.parameter, divisor = terms.divisor, a = saved(prediction, keep),
       b = saved(target, keep),
       w = saved(terms.weights, keep && terms.weights.defined())](const Tensor& dy, Grads& grad) {
        for (int side = 0; side < 2; ++side)
          if (grad.wanted(side))
            grad.add(side, kernels::elementwise_loss_grad(loss, side, *a, *b, {*w, parameter, divisor}, dy));
      });
}

Tensor focal_of_labels(const Tensor& logits, const Tensor& target, const Tensor& weights, double gamma) {
  check_label_rows("focal", logits, target);
  check_weights("focal", weights, logits, target.shape());
  const std::int64_t classes = logits.shape().back(), rows = logits.size() / classes;
  const Tensor labels = target.view({rows}), w = weights.defined() ? weights.view({rows}) : Tensor();
  kernels::FocalOfLabels result = kernels::focal_of_labels(logits.view({rows, classes}), labels, w, gamma);
  const Tensor loss = std::exchange(result.loss, {});  // the rule that kept it would own its own node
  const bool keep = needed_by(logits);
  const LossInputs inputs{{logits, target, weights}};
  return record(
      Op::focal, loss, inputs.list(),
      [gamma] {
        return State{{"p", gamma}};
      },
      [kept = keep ? std::move(result) : kernels::FocalOfLabels(), labels = saved(labels, keep),
       shape = logits.shape()](const Tensor& dy, Grads& grad) {
        if (grad.wanted(0)) grad.add(0, kernels::focal_of_labels_grad(kept, *labels, dy).view(shape));
      });
}

/// The shape of the rows along the last axis. `what` they are is for the message.
Shape rows_of(const char* op, const char* what, const Tensor& target) {
  check<ShapeError>(target.rank() >= 1, op, ": expected ", what, " along a last axis, got shape ",
                    target.shape(), ".");
  return target.shape().without(target.rank() - 1);
}

Tensor weighted_kl_div(const Tensor& log_probabilities, const Tensor& target, const Tensor& weights) {
  const Shape rows = rows_of("kl_div", "distributions", target);
  check_weights("kl_div", weights, log_probabilities, rows);
  kernels::LossTerms terms{.divisor = static_cast<double>(rows.size())};
  if (weights.defined())
    terms.weights = kernels::broadcast_to(weights.view(rows.inserted(rows.rank(), 1)), target.shape());
  return elementwise(Op::kl_div, {{log_probabilities, target, weights}}, target, terms);
}

Tensor weighted_cosine_loss(const Tensor& prediction, const Tensor& target, const Tensor& weights) {
  check_weights("cosine_loss", weights, prediction, rows_of("cosine_loss", "vectors", target));
  const bool keep = any_grad({&prediction, &target});
  const LossInputs inputs{{prediction, target, weights}};
  return record(Op::cosine_loss, kernels::cosine_loss(prediction, target, weights), inputs.list(),
                [a = saved(prediction, keep), b = saved(target, keep),
                 w = saved(weights, keep && weights.defined())](const Tensor& dy, Grads& grad) {
                  if (grad.wanted(0)) grad.add(0, kernels::cosine_loss_grad(*a, *b, *w, dy));
                  if (grad.wanted(1)) grad.add(1, kernels::cosine_loss_grad(*b, *a, *w, dy));
                });
}

}  // namespace

Tensor weighted_loss(Op op, const Tensor& prediction, const Tensor& target, const Tensor& weights,
                     double parameter) {
  const char* op_name = name(op).data();
  check_float(op_name, "prediction", prediction);
  check<ValueError>(target.defined(), op_name, ": target is undefined.");
  check<ValueError>(op != Op::huber || (parameter > 0.0 && std::isfinite(parameter)),
                    "huber: delta must be finite and above 0, got ", parameter, ".");
  check<ValueError>(op != Op::focal || (parameter >= 0.0 && std::isfinite(parameter)),
                    "focal: gamma must be finite and not negative, got ", parameter, ".");
  if (op == Op::focal && !is_float(target.dtype()))
    return focal_of_labels(prediction, target, weights, parameter);
  const bool signs = op == Op::hinge && !is_float(target.dtype());
  const Tensor values = signs ? target.to(prediction.dtype()) : target;
  check_pair(op_name, prediction, values);
  if (op == Op::kl_div) return weighted_kl_div(prediction, target, weights);
  if (op == Op::cosine_loss) return weighted_cosine_loss(prediction, target, weights);
  if (op == Op::hinge) check_signs(values);
  check_weights(op_name, weights, prediction, prediction.shape());
  return elementwise(op, {{prediction, target, weights}}, values,
                     {.weights = weights, .parameter = parameter});
}

Tensor mse(const Tensor& prediction, const Tensor& target) {
  return weighted_loss(Op::mse, prediction, target, {}, 0.0);
}
Tensor mae(const Tensor& prediction, const Tensor& target) {
  return weighted_loss(Op::mae, prediction, target, {}, 0.0);
}
Tensor bce_with_logits(const Tensor& logits, const Tensor& target) {
  return weighted_loss(Op::bce_with_logits, logits, target, {}, 0.0);
}
Tensor huber(const Tensor& prediction, const Tensor& target) {
  return weighted_loss(Op::huber, prediction, target, {}, kHuberDelta);
}
Tensor hinge(const Tensor& prediction, const Tensor& target) {
  return weighted_loss(Op::hinge, prediction, target, {}, 0.0);
}
Tensor focal(const Tensor& logits, const Tensor& target) {
  return weighted_loss(Op::focal, logits, target, {}, kFocalGamma);
}
Tensor kl_div(const Tensor& log_probabilities, const Tensor& target) {
  return weighted_loss(Op::kl_div, log_probabilities, target, {}, 0.0);
}
Tensor cosine_loss(const Tensor& prediction, const Tensor& target) {
  return weighted_loss(Op::cosine_loss, prediction, target, {}, 0.0);
}

}  // namespace linnet
