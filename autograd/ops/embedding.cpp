// SPDX-License-Identifier: Apache-2.0
// embedding: y[i] = weight[indices[i]],   dweight[v] = sum over i with indices[i] = v of dy[i].
#include "linnet/core/kernels/embedding.h"

#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/softmax.h"
#include "linnet/core/tensor_impl.h"

namespace linnet {
namespace {

void check_indices(const Tensor& indices, std::int64_t rows) {
  const std::int64_t bad = kernels::find_bad_label(indices, rows);
  if (bad < 0) return;
  const Tensor all = indices.to(i64);
  fail<ValueError>("embedding: index ", readable<std::int64_t>(all)[bad], " at position ", bad,
                   " is outside 0..", rows - 1, ". The table has ", rows, " rows.");
}

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight, std::optional<std::int64_t> padding_idx) {
  check<ValueError>(indices.defined(), "embedding: indices is undefined.");
  check<DTypeError>(indices.dtype() == i64 || indices.dtype() == i32 || indices.dtype() == u8,
                    "embedding: indices must be i64, i32 or u8, got ", indices.dtype(), ".");
  check_float("embedding", "weight", weight);
  check_rank("embedding", "weight", weight, 2);
  check<ShapeError>(indices.rank() < Shape::kMaxRank, "embedding: indices of shape ", indices.shape(),
                    " leave no axis for the vectors.");
  const std::int64_t rows = weight.dim(0);
  check<ValueError>(!padding_idx || (*padding_idx >= 0 && *padding_idx < rows), "embedding: padding_idx ",
                    padding_idx.value_or(0), " is outside 0..", rows - 1, ".");
  check_indices(indices, rows);
  return record(
      Op::embedding, kernels::embedding(indices, weight), {weight, indices},
      [=] {
        State attributes;
        if (padding_idx) attributes.set("padding_idx", *padding_idx);
        return attributes;
      },
      [=, indices = saved(indices, needed_by(weight))](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::embedding_grad(*indices, dy, rows, padding_idx));
      });
}

}  // namespace linnet
