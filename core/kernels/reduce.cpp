// SPDX-License-Identifier: Apache-2.0
// Neighbouring axes of one kind are one axis, so a reduction is a chain of passes [A, R, B] -> [A, B], the
// last group of reduced axes first; nearly always there is just one.
#include "linnet/core/kernels/reduce.h"

#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/reduce_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(ReduceKernels, reduce, naive_reduce)

/// Rows that a sum down a column takes at once; longer ones are partial sums, added in order.
constexpr std::int64_t kRowChunk = 256;
/// Columns a tile takes; has no influence on the result.
constexpr std::int64_t kColumnsAtOnce = 256;

using Mask = std::array<bool, Shape::kMaxRank>;

enum class Fold { sum, max };

template <class T, Fold fold>
void fold_down(const T* x, T* y, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  if constexpr (fold == Fold::sum)
    reduce_kernels<T>().sum_down(x, y, rows, columns, stride);
  else
    reduce_kernels<T>().max_down(x, y, rows, columns, stride);
}

/// x [A, R, B] -> y [A, B].
template <class T, Fold fold>
void fold_middle(const T* x, T* y, std::int64_t a, std::int64_t r, std::int64_t b) {
  if (b == 1) {
    for_row_tiles(a, r, 1, [&](std::int64_t first, std::int64_t last) {
      const auto row = fold == Fold::sum ? reduce_kernels<T>().sum : reduce_kernels<T>().max;
      for (std::int64_t i = first; i < last; ++i) y[i] = row(x + i * r, r);
    });
    return;
  }
  const std::int64_t chunks = (r + kRowChunk - 1) / kRowChunk;
  const std::int64_t blocks = (b + kColumnsAtOnce - 1) / kColumnsAtOnce;
  Tensor partial = chunks > 1 ? Tensor::empty({a, chunks, b}, dtype_of<T>()) : Tensor();
  T* chunk_result = chunks > 1 ? writable<T>(partial) : y;
  parallel_for(a * chunks * blocks, a * r * b, [&](std::int64_t tile) {
    const std::int64_t c = tile % blocks * kColumnsAtOnce, group = tile / blocks;
    const std::int64_t first = group % chunks * kRowChunk;
    fold_down<T, fold>(x + (group / chunks * r + first) * b + c, chunk_result + group * b + c,
                       std::min(kRowChunk, r - first), std::min(kColumnsAtOnce, b - c), b);
  });
  if (chunks > 1)
    for (std::int64_t i = 0; i < a; ++i)
      fold_down<T, fold>(chunk_result + i * chunks * b, y + i * b, chunks, b, b);
}

/// Reduces the last group of axes set in `mask` and clears them there. Sizes of reduced axes become 1.
template <Fold fold>
Tensor reduce_last_group(const Tensor& x, Mask& mask) {
  const int rank = x.rank();
  int end = rank;
  while (!mask[end - 1]) --end;
  int begin = end;
  Shape shape = x.shape();
  while (begin > 0 && mask[begin - 1]) {
    mask[--begin] = false;
    shape = shape.with(begin, 1);
  }
  Tensor y = Tensor::empty(shape, x.dtype());
  const std::int64_t a = x.shape().product(0, begin), r = x.shape().product(begin, end);
  const std::int64_t b = x.shape().product(end, rank);
  dispatch_float(fold == Fold::sum ? "sum" : "max", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if (r == 0)
      std::fill_n(writable<T>(y), a * b, T(0));
    else if (a > 0 && b > 0)
      fold_middle<T, fold>(readable<T>(x), writable<T>(y), a, r, b);
  });
  return y;
}

template <Fold fold>
Tensor reduce_axes(const Tensor& x, Mask mask, const Shape& result) {
  // Axes of size 1 change nothing: without them more neighbours merge.
  for (int i = 0; i < x.rank(); ++i) mask[i] = mask[i] && x.shape()[i] != 1;
  Tensor y = x;
  while (std::any_of(mask.begin(), mask.begin() + x.rank(), [](bool reduced) { return reduced; }))
    y = reduce_last_group<fold>(y, mask);
  return y.same_as(x) ? x.clone().view(result) : y.view(result);
}

}  // namespace

Tensor sum(const Tensor& x, Axes axes, bool keep_dims) {
  const Mask mask = axes.mask("sum", x.rank());
  return reduce_axes<Fold::sum>(x, mask, reduced(x.shape(), mask, keep_dims));
}

Tensor max(const Tensor& x, Axes axes, bool keep_dims) {
  const Mask mask = axes.mask("max", x.rank());
  const Shape result = reduced(x.shape(), mask, keep_dims);
  check<ShapeError>(x.size() > 0 || result.size() == 0, "max: nothing to take the maximum of: ", x.shape(),
                    ".");
  return reduce_axes<Fold::max>(x, mask, result);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  Mask mask{};
  const int extra = x.rank() - shape.rank();
  for (int i = 0; i < x.rank(); ++i) mask[i] = i < extra || (shape[i - extra] == 1 && x.shape()[i] != 1);
  return reduce_axes<Fold::sum>(x, mask, shape);
}

Tensor max_grad(const Tensor& x, const Tensor& y, const Tensor& dy) {
  Tensor dx = Tensor::empty(x.shape(), x.dtype());
  Tensor ties = Tensor::zeros(y.shape(), x.dtype());
  const auto x_strides = broadcast_strides(x.shape(), x.shape());
  const auto y_strides = broadcast_strides(y.shape(), x.shape());
  LoopNest<2> nest;
  for (int i = 0; i < x.rank(); ++i) nest.add(x.shape()[i], {x_strides[i], y_strides[i]});
  nest.finish();
  const std::int64_t n = nest.columns();
  const auto row_step = nest.stride[nest.rank - 2], step = nest.stride[nest.rank - 1];
  /// body(place in x, place in y) for every element.
  const auto for_elements = [&](auto body) {
    nest.for_runs(0, nest.rows(), [&](const auto& offset, std::int64_t rows, std::int64_t) {
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < n; ++i)
          body(offset[0] + r * row_step[0] + i * step[0], offset[1] + r * row_step[1] + i * step[1]);
    });
  };
  dispatch_float("max", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *px = readable<T>(x), *py = readable<T>(y), *pdy = readable<T>(dy);
    T *count = writable<T>(ties), *pdx = writable<T>(dx);
    // NaN that won counts as equal to itself: its gradient must not vanish.
    const auto wins = [&](std::int64_t i, std::int64_t j) {
      return px[i] == py[j] || (px[i] != px[i] && py[j] != py[j]);
    };
    for_elements([&](std::int64_t i, std::int64_t j) { count[j] += wins(i, j) ? T(1) : T(0); });
    for_elements([&](std::int64_t i, std::int64_t j) { pdx[i] = wins(i, j) ? pdy[j] / count[j] : T(0); });
  });
  return dx;
}

Tensor argmax(const Tensor& x, int axis) {
  axis = normalize_axis("argmax", axis, x.rank());
  const std::int64_t n = x.shape()[axis], inner = x.shape().product(axis + 1, x.rank());
  check<ShapeError>(n > 0, "argmax: axis ", axis, " is empty: ", x.shape(), ".");
  Tensor y = Tensor::empty(x.shape().without(axis), DType::i64);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_row_tiles(y.size(), n, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const T* column = readable<T>(x) + i / inner * n * inner + i % inner;
        std::int64_t best = 0;
        for (std::int64_t k = 1; k < n; ++k) {
          const T value = column[k * inner], leader = column[best * inner];
          if (value > leader || (value != value && leader == leader)) best = k;
        }
        writable<std::int64_t>(y)[i] = best;
      }
    });
  });
  return y;
}

double sum_of_squares(const Tensor& x) {
  // Eight sums side by side, the order fixed by the size.
  return dispatch_float("sum_of_squares", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* p = readable<T>(x);
    double lanes[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= x.size(); i += 8)
      for (int lane = 0; lane < 8; ++lane)
        lanes[lane] += static_cast<double>(p[i + lane]) * static_cast<double>(p[i + lane]);
    for (int lane = 0; i < x.size(); ++i, ++lane)
      lanes[lane] += static_cast<double>(p[i]) * static_cast<double>(p[i]);
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
  });
}

}  // namespace linnet::kernels
