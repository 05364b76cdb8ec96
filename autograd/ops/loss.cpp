// SPDX-License-Identifier: Apache-2.0
// cross_entropy, a mean over rows. Formula and gradient: core/kernels/softmax.h.
#include "linnet/autograd/ops/common.h"
#include "linnet/autograd/ops/labels.h"
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

}  // namespace

void check_label_rows(const char* op, const Tensor& logits, const Tensor& target) {
  check<ShapeError>(logits.rank() >= 1 && logits.size() > 0, op,
                    ": logits must be [..., classes], got shape ", logits.shape(), ".");
  std::int64_t classes = logits.dim(-1);
  check<DTypeError>(target.dtype() != i8, op,
                    ": labels must be i64, i32 or u8, got i8. Convert with to(i64).");
  check<ShapeError>(target.shape() == logits.shape().without(logits.rank() - 1), op, ": logits ",
                    logits.shape(), " need labels of shape ", logits.shape().without(logits.rank() - 1),
                    ", got ", target.shape(), ".");
  std::int64_t bad = kernels::find_bad_label(target, classes);
  if (bad < 0) return;
  std::int64_t label = dispatch(target.dtype(), [&](auto zero) {
    return static_cast<std::int64_t>(readable<decltype(zero)>(target)[bad]);
  });
  fail<ValueError>(op, ": label ", label, " at position ", bad, " is outside 0..", classes - 1,
                   ". The logits have ", classes, " classes.");
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target) {
  check_float("cross_entropy", "logits", logits);
  check<ValueError>(target.defined(), "cross_entropy: target is undefined.");
  check<ShapeError>(logits.rank() >= 1 && logits.size() > 0,
                    "cross_entropy: logits must be [..., classes], got shape ", logits.shape(), ".");
  bool soft = is_float(target.dtype());
  soft ? check_soft_labels(logits, target) : check_label_rows("cross_entropy", logits, target);

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

}  // namespace linnet
