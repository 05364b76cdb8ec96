// SPDX-License-Identifier: Apache-2.0
// Losses: means over rows (cross_entropy) or elements. Formulas and gradients: core/kernels/softmax.h.
#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/softmax.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

void check_soft_labels(const Tensor& logits, const Tensor& target) {
  check_same_dtype("cross_entropy", "logits", logits, "target", target);
  check<ShapeError>(target.shape() == logits.shape(),
                    "cross_entropy: soft labels must have the shape of the logits ", logits.shape(), ", got ",
                    target.shape(), ". Integer labels need an integer type: to(i64).");
}

void check_labels(const Tensor& logits, const Tensor& target) {
  std::int64_t classes = logits.dim(-1);
  check<DTypeError>(target.dtype() != i8,
                    "cross_entropy: labels must be i64, i32 or u8, got i8. Convert with to(i64).");
  check<ShapeError>(target.shape() == logits.shape().without(logits.rank() - 1), "cross_entropy: logits ",
                    logits.shape(), " need labels of shape ", logits.shape().without(logits.rank() - 1),
                    ", got ", target.shape(), ".");
  std::int64_t bad = kernels::find_bad_label(target, classes);
  if (bad < 0) return;
  std::int64_t label = dispatch(target.dtype(), [&](auto zero) {
    return static_cast<std::int64_t>(readable<decltype(zero)>(target)[bad]);
  });
  fail<ValueError>("cross_entropy: label ", label, " at position ", bad, " is outside 0..", classes - 1,
                   ". The logits have ", classes, " classes.");
}

using Loss = Tensor (*)(const Tensor&, const Tensor&);
using LossGrad = Tensor (*)(int, const Tensor&, const Tensor&, const Tensor&);

/// A mean over elements of a function of (prediction, target).
Tensor elementwise_loss(Op op, Loss loss, LossGrad gradient, const Tensor& prediction, const Tensor& target) {
  const char* op_name = name(op).data();
  check_float(op_name, "prediction", prediction);
  check_float(op_name, "target", target);
  check_same_dtype(op_name, "prediction", prediction, "target", target);
  check<ShapeError>(prediction.shape() == target.shape(), op_name, ": prediction ", prediction.shape(),
                    " and target ", target.shape(), " must have the same shape. Reshape one of them.");
  check<ShapeError>(prediction.size() > 0, op_name, ": no elements in shape ", prediction.shape(), ".");
  bool keep = any_grad({&prediction, &target});
  return record(
      op, loss(prediction, target), {prediction, target},
      [gradient, a = saved(prediction, keep), b = saved(target, keep)](const Tensor& dy, Grads& grad) {
        for (int side = 0; side < 2; ++side)
          if (grad.wanted(side)) grad.add(side, gradient(side, *a, *b, dy));
      });
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target) {
  check_float("cross_entropy", "logits", logits);
  check<ValueError>(target.defined(), "cross_entropy: target is undefined.");
  check<ShapeError>(logits.rank() >= 1 && logits.size() > 0,
                    "cross_entropy: logits must be [..., classes], got shape ", logits.shape(), ".");
  bool soft = is_float(target.dtype());
  soft ? check_soft_labels(logits, target) : check_labels(logits, target);

  std::int64_t classes = logits.dim(-1), rows = logits.size() / classes;
  Tensor labels = soft ? target.view({rows, classes}) : target.view({rows});
  kernels::CrossEntropy result = kernels::cross_entropy(logits.view({rows, classes}), labels);
  bool keep = any_grad({&logits, &target});
  return record(Op::cross_entropy, result.loss, {logits, target},
                [probabilities = keep ? result.probabilities : Tensor(), labels = saved(labels, keep),
                 logits = saved(logits.view({rows, classes}), needed_by(target)),
                 shape = logits.shape()](const Tensor& dy, Grads& grad) {
                  if (grad.wanted(0))
                    grad.add(0, kernels::cross_entropy_grad(probabilities, *labels, dy).view(shape));
                  // d/dt of -t log_softmax(z) / R
                  if (grad.wanted(1)) {
                    Tensor dt = kernels::scale(kernels::log_softmax(*logits, 1),
                                               -1.0 / static_cast<double>(probabilities.dim(0)));
                    grad.add(1, kernels::binary(Op::mul, dt, dy).view(shape));
                  }
                });
}

Tensor mse(const Tensor& prediction, const Tensor& target) {
  return elementwise_loss(Op::mse, kernels::mse, kernels::mse_grad, prediction, target);
}
Tensor mae(const Tensor& prediction, const Tensor& target) {
  return elementwise_loss(Op::mae, kernels::mae, kernels::mae_grad, prediction, target);
}
Tensor bce_with_logits(const Tensor& logits, const Tensor& target) {
  return elementwise_loss(Op::bce_with_logits, kernels::bce_with_logits, kernels::bce_with_logits_grad,
                          logits, target);
}

}  // namespace linnet
