// SPDX-License-Identifier: Apache-2.0
// sum: dx = dy, repeated.   mean: dx = dy / n.   max: dx = dy shared by the places that equal the maximum.
#include "linnet/core/kernels/reduce.h"

#include "linnet/autograd/ops/common.h"
#include "linnet/core/kernels/elementwise.h"

namespace linnet {
namespace {

struct Reduction {
  std::array<bool, Shape::kMaxRank> mask;
  Shape kept;          ///< result shape with the reduced axes as 1
  std::int64_t count;  ///< elements that make one result
};

Reduction reduction(const char* op, const Tensor& x, const Axes& axes) {
  check_float(op, "x", x);
  Reduction r{axes.mask(op, x.rank()), {}, 1};
  r.kept = reduced(x.shape(), r.mask, true);
  for (int i = 0; i < x.rank(); ++i)
    if (r.mask[i]) r.count *= x.shape()[i];
  return r;
}

auto reduce_attributes(const Reduction& r, int rank, bool keep_dims) {
  return [=] {
    std::vector<std::int64_t> axes;
    for (int i = 0; i < rank; ++i)
      if (r.mask[i]) axes.push_back(i);
    return State{{"axes", integers(axes)}, {"keep_dims", static_cast<std::int64_t>(keep_dims)}};
  };
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keep_dims) {
  Reduction r = reduction("sum", x, axes);
  return record(Op::sum, kernels::sum(x, axes, keep_dims), {x}, reduce_attributes(r, x.rank(), keep_dims),
                [kept = r.kept, shape = x.shape()](const Tensor& dy, Grads& grad) {
                  grad.add(0, kernels::broadcast_to(dy.view(kept), shape));
                });
}

Tensor mean(const Tensor& x, const Axes& axes, bool keep_dims) {
  Reduction r = reduction("mean", x, axes);
  check<ShapeError>(r.count > 0, "mean: no elements to average in shape ", x.shape(), ".");
  double weight = 1.0 / static_cast<double>(r.count);
  Tensor y = kernels::sum(x, axes, keep_dims);
  kernels::scale_in_place(y, weight);
  return record(Op::mean, y, {x}, reduce_attributes(r, x.rank(), keep_dims),
                [kept = r.kept, shape = x.shape(), weight](const Tensor& dy, Grads& grad) {
                  grad.add(0, kernels::broadcast_to(kernels::scale(dy.view(kept), weight), shape));
                });
}

Tensor max(const Tensor& x, const Axes& axes, bool keep_dims) {
  Reduction r = reduction("max", x, axes);
  check<ShapeError>(r.count > 0, "max: no elements to compare in shape ", x.shape(), ".");
  Tensor y = kernels::max(x, axes, keep_dims);
  bool keep = needed_by(x);
  return record(Op::max, y, {x}, reduce_attributes(r, x.rank(), keep_dims),
                [x = saved(x, keep), y = saved(y, keep), kept = r.kept](const Tensor& dy, Grads& grad) {
                  grad.add(0, kernels::max_grad(*x, (*y).view(kept), dy.view(kept)));
                });
}

Tensor argmax(const Tensor& x, int axis) {
  check_float("argmax", "x", x);
  axis = normalize_axis("argmax", axis, x.rank());
  check<ShapeError>(x.dim(axis) > 0, "argmax: axis ", axis, " of shape ", x.shape(), " has no elements.");
  return kernels::argmax(x, axis);
}

}  // namespace linnet
