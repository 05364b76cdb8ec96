// SPDX-License-Identifier: Apache-2.0
// Ops that only move elements. The gradient moves them back.
#include "linnet/core/kernels/layout.h"

#include <algorithm>
#include <numeric>

#include "linnet/autograd/ops/common.h"
#include "linnet/core/pool_vector.h"

namespace linnet {
namespace {

Shape resolve_reshape(const Tensor& x, std::span<const std::int64_t> shape) {
  PoolVector<std::int64_t> sizes(shape.begin(), shape.end());
  auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    std::int64_t rest = 1;
    for (std::int64_t size : sizes)
      if (size != -1) rest *= size;
    check<ShapeError>(std::count(sizes.begin(), sizes.end(), -1) == 1, "reshape: only one size may be -1.");
    check<ShapeError>(rest > 0 && x.size() % rest == 0, "reshape: ", x.shape(), " has ", x.size(),
                      " elements, which do not divide by ", rest, ".");
    *open = x.size() / rest;
  }
  Shape target{std::span<const std::int64_t>(sizes)};
  check<ShapeError>(target.size() == x.size(), "reshape: ", x.shape(), " has ", x.size(), " elements, ",
                    target, " has ", target.size(), ".");
  return target;
}

}  // namespace

Tensor reshape(const Tensor& x, std::span<const std::int64_t> shape) {
  check<ValueError>(x.defined(), "reshape: x is undefined.");
  Shape target = resolve_reshape(x, shape);
  return record(
      Op::reshape, x.view(target), {x},
      [&] {
        return State{{"shape", integers(std::span(target.begin(), target.end()))}};
      },
      [before = x.shape()](const Tensor& dy, Grads& grad) { grad.add(0, dy.view(before)); });
}
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> shape) {
  return reshape(x, std::span(shape.begin(), shape.size()));
}
Tensor Tensor::reshape(std::initializer_list<std::int64_t> shape) const {
  return linnet::reshape(*this, shape);
}
Tensor Tensor::reshape(const Shape& shape) const {
  return linnet::reshape(*this, std::span(shape.begin(), shape.end()));
}

Tensor flatten(const Tensor& x) {
  check<ValueError>(x.defined(), "flatten: x is undefined.");
  check<ShapeError>(x.rank() >= 1, "flatten: x must have a batch axis, got shape [].");
  return reshape(x, {x.dim(0), x.shape().product(1, x.rank())});
}

Tensor transpose(const Tensor& x, std::span<const int> order) {
  check<ValueError>(x.defined(), "transpose: x is undefined.");
  std::vector<int> axes(order.begin(), order.end());
  if (axes.empty()) {
    axes.resize(x.rank());
    std::iota(axes.rbegin(), axes.rend(), 0);
  }
  check<ShapeError>(static_cast<int>(axes.size()) == x.rank(), "transpose: the order has ", axes.size(),
                    " axes, x has shape ", x.shape(), ".");
  std::vector<int> back(axes.size(), -1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    axes[i] = normalize_axis("transpose", axes[i], x.rank());
    check<ShapeError>(back[axes[i]] < 0, "transpose: axis ", axes[i], " is named twice.");
    back[axes[i]] = static_cast<int>(i);
  }
  return record(
      Op::transpose, kernels::transpose(x, axes), {x},
      [&] {
        return State{{"order", integers(std::vector<std::int64_t>(axes.begin(), axes.end()))}};
      },
      [back](const Tensor& dy, Grads& grad) { grad.add(0, kernels::transpose(dy, back)); });
}
Tensor transpose(const Tensor& x, std::initializer_list<int> order) {
  return transpose(x, std::span(order.begin(), order.size()));
}

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  check<ValueError>(x.defined(), "slice: x is undefined.");
  axis = normalize_axis("slice", axis, x.rank());
  std::int64_t size = x.dim(axis);
  check<ValueError>(step >= 1, "slice: step must be at least 1, got ", step, ".");
  std::int64_t first = begin < 0 ? begin + size : begin, last = std::min(end < 0 ? end + size : end, size);
  check<ShapeError>(first >= 0 && first <= last, "slice: ", begin, "..", end, " is outside axis ", axis,
                    " of ", x.shape(), ".");
  return record(
      Op::slice, kernels::slice(x, axis, first, last, step), {x},
      [&] {
        return State{{"axis", axis}, {"begin", first}, {"end", last}, {"step", step}};
      },
      [shape = x.shape(), axis, first, step](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::slice_grad(dy, shape, axis, first, step));
      });
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  check<ValueError>(!parts.empty(), "concat: no tensors given.");
  for (const Tensor& part : parts)
    check<ValueError>(part.defined(), "concat: one of the tensors is undefined.");
  const Tensor& first = parts[0];
  axis = normalize_axis("concat", axis, first.rank());
  for (const Tensor& part : parts) {
    check_same_dtype("concat", "the first tensor", first, "another", part);
    check<ShapeError>(
        part.rank() == first.rank() && part.shape().with(axis, 0) == first.shape().with(axis, 0),
        "concat: shapes differ outside axis ", axis, ": ", first.shape(), " and ", part.shape(), ".");
  }
  std::vector<std::int64_t> sizes;
  for (const Tensor& part : parts) sizes.push_back(part.dim(axis));
  return record(
      Op::concat, kernels::concat(parts, axis), parts,
      [=] {
        return State{{"axis", axis}};
      },
      [sizes, axis](const Tensor& dy, Grads& grad) {
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < sizes.size(); begin += sizes[i++])
          if (grad.wanted(static_cast<int>(i)))
            grad.add(static_cast<int>(i), kernels::slice(dy, axis, begin, begin + sizes[i], 1));
      });
}
Tensor concat(std::initializer_list<Tensor> parts, int axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}

Tensor pad(const Tensor& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, double value) {
  check_float("pad", "x", x);
  check<ShapeError>(static_cast<int>(widths.size()) == x.rank(), "pad: expected ", x.rank(),
                    " pairs for shape ", x.shape(), ", got ", widths.size(), ".");
  std::vector<std::int64_t> before, after;
  for (auto [b, a] : widths) {
    check<ValueError>(b >= 0 && a >= 0, "pad: widths must not be negative, got ", b, " and ", a, ".");
    before.push_back(b);
    after.push_back(a);
  }
  return record(
      Op::pad, kernels::pad(x, before, after, value), {x},
      [&] {
        return State{{"before", integers(before)}, {"after", integers(after)}, {"value", value}};
      },
      [before, shape = x.shape()](const Tensor& dy, Grads& grad) {
        grad.add(0, kernels::unpad(dy, shape, before));
      });
}

Tensor channel_shuffle(const Tensor& x, std::int64_t groups) {
  check<ValueError>(x.defined(), "channel_shuffle: x is undefined.");
  check<ShapeError>(x.rank() >= 2, "channel_shuffle: x must have a batch axis and channels, got shape ",
                    x.shape(), ".");
  const std::int64_t channels = x.dim(-1);
  check<ValueError>(groups >= 1 && channels % groups == 0, "channel_shuffle: groups must divide the ",
                    channels, " channels of x ", x.shape(), ", got ", groups, ".");
  const std::int64_t places = x.shape().product(1, x.rank() - 1);
  return transpose(x.reshape({x.dim(0), places, groups, channels / groups}), {0, 1, 3, 2}).reshape(x.shape());
}

}  // namespace linnet
