// SPDX-License-Identifier: Apache-2.0
// All of these are one strided copy: the operands of the loop nest are {from, to}, strides in elements.
#include "linnet/core/kernels/layout.h"

#include <cstring>

#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

using Nest = LoopNest<2>;

/// Side of the square that a transposing copy keeps in the first-level cache.
constexpr std::int64_t kBlock = 16;

template <class T>
void copy_plane(const T* from, T* to, std::int64_t rows, std::int64_t n, const Nest::Strides& row,
                const Nest::Strides& step) {
  if (step[0] == 1 && step[1] == 1) {
    for (std::int64_t r = 0; r < rows; ++r) std::memcpy(to + r * row[1], from + r * row[0], n * sizeof(T));
    return;
  }
  for (std::int64_t r0 = 0; r0 < rows; r0 += kBlock)
    for (std::int64_t i0 = 0; i0 < n; i0 += kBlock) {
      const std::int64_t r1 = std::min(rows, r0 + kBlock), i1 = std::min(n, i0 + kBlock);
      for (std::int64_t r = r0; r < r1; ++r)
        for (std::int64_t i = i0; i < i1; ++i) to[r * row[1] + i * step[1]] = from[r * row[0] + i * step[0]];
    }
}

/// An unsigned integer as large as the element: moving needs nothing else.
template <class Body>
void dispatch_size(DType dtype, Body body) {
  switch (size_of(dtype)) {
    case 1:
      return body(std::uint8_t{});
    case 4:
      return body(std::uint32_t{});
    default:
      return body(std::uint64_t{});
  }
}

/// Puts the axis along which `from` lies dense next to the last one, so that both sides stay within a block.
void bring_dense_axis_inside(Nest& nest) {
  const int last = nest.rank - 1;
  if (nest.stride[last][0] == 1) return;
  for (int i = last - 2; i >= 0; --i) {
    if (nest.stride[i][0] != 1) continue;
    std::rotate(nest.size.begin() + i, nest.size.begin() + i + 1, nest.size.begin() + last);
    std::rotate(nest.stride.begin() + i, nest.stride.begin() + i + 1, nest.stride.begin() + last);
    return;
  }
}

void copy(const Tensor& x, std::int64_t from, Tensor& y, std::int64_t to, Nest nest) {
  nest.finish();
  bring_dense_axis_inside(nest);
  const std::int64_t n = nest.columns();
  if (n == 0) return;
  dispatch_size(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* source = readable<T>(x) + from;
    T* target = writable<T>(y) + to;
    for_row_tiles(nest.rows(), n, 1, [&](std::int64_t first, std::int64_t last) {
      nest.for_runs(first, last, [&](const auto& offset, std::int64_t rows, std::int64_t) {
        copy_plane(source + offset[0], target + offset[1], rows, n, nest.stride[nest.rank - 2],
                   nest.stride[nest.rank - 1]);
      });
    });
  });
}

using AxisStrides = std::array<std::int64_t, Shape::kMaxRank>;

AxisStrides strides_of(const Shape& shape) { return broadcast_strides(shape, shape); }

/// The walk over `sizes` that advances both sides by their strides.
Nest nest_of(const Shape& sizes, const AxisStrides& from, const AxisStrides& to) {
  Nest nest;
  for (int i = 0; i < sizes.rank(); ++i) nest.add(sizes[i], {from[i], to[i]});
  return nest;
}

/// Where the element at `index` lies in a row-major tensor.
std::int64_t offset_of(std::span<const std::int64_t> index, const Shape& shape) {
  std::int64_t offset = 0;
  for (int i = 0; i < shape.rank(); ++i) offset = offset * shape[i] + index[i];
  return offset;
}

}  // namespace

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  Tensor y = Tensor::empty(shape, x.dtype());
  copy(x, 0, y, 0, nest_of(shape, broadcast_strides(x.shape(), shape), strides_of(shape)));
  return y;
}

Tensor transpose(const Tensor& x, std::span<const int> order) {
  const AxisStrides x_strides = strides_of(x.shape());
  AxisStrides sizes{}, from{};
  for (int i = 0; i < x.rank(); ++i) {
    sizes[i] = x.shape()[order[i]];
    from[i] = x_strides[order[i]];
  }
  const Shape shape(std::span<const std::int64_t>(sizes.data(), x.rank()));
  Tensor y = Tensor::empty(shape, x.dtype());
  copy(x, 0, y, 0, nest_of(shape, from, strides_of(shape)));
  return y;
}

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const Shape shape = x.shape().with(axis, (end - begin + step - 1) / step);
  Tensor y = Tensor::empty(shape, x.dtype());
  AxisStrides from = strides_of(x.shape());
  from[axis] *= step;
  copy(x, begin * x.shape().product(axis + 1, x.rank()), y, 0, nest_of(shape, from, strides_of(shape)));
  return y;
}

Tensor slice_grad(const Tensor& dy, const Shape& x, int axis, std::int64_t begin, std::int64_t step) {
  Tensor dx = Tensor::zeros(x, dy.dtype());
  AxisStrides to = strides_of(x);
  to[axis] *= step;
  copy(dy, 0, dx, begin * x.product(axis + 1, x.rank()), nest_of(dy.shape(), strides_of(dy.shape()), to));
  return dx;
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  std::int64_t total = 0;
  for (const Tensor& part : parts) total += part.shape()[axis];
  const Shape shape = parts.front().shape().with(axis, total);
  Tensor y = Tensor::empty(shape, parts.front().dtype());
  std::int64_t to = 0;
  for (const Tensor& part : parts) {
    copy(part, 0, y, to, nest_of(part.shape(), strides_of(part.shape()), strides_of(shape)));
    to += part.shape().product(axis, shape.rank());
  }
  return y;
}

Tensor pad(const Tensor& x, std::span<const std::int64_t> before, std::span<const std::int64_t> after,
           double value) {
  AxisStrides sizes{};
  for (int i = 0; i < x.rank(); ++i) sizes[i] = before[i] + x.shape()[i] + after[i];
  const Shape shape(std::span<const std::int64_t>(sizes.data(), x.rank()));
  Tensor y = Tensor::full(shape, value, x.dtype());
  copy(x, 0, y, offset_of(before, shape), nest_of(x.shape(), strides_of(x.shape()), strides_of(shape)));
  return y;
}

Tensor unpad(const Tensor& y, const Shape& x, std::span<const std::int64_t> before) {
  Tensor inside = Tensor::empty(x, y.dtype());
  copy(y, offset_of(before, y.shape()), inside, 0, nest_of(x, strides_of(y.shape()), strides_of(x)));
  return inside;
}

Tensor gather_rows(const Tensor& x, std::span<const std::int64_t> rows) {
  const auto count = static_cast<std::int64_t>(rows.size());
  Tensor y = Tensor::empty(x.shape().with(0, count), x.dtype());
  const std::int64_t width = x.shape().product(1, x.rank());
  const std::size_t bytes = static_cast<std::size_t>(width) * size_of(x.dtype());
  const std::byte* from = readable<std::byte>(x);
  std::byte* to = writable<std::byte>(y);
  // Rows come in random order from a set larger than the cache: ask for one while four others are copied.
  constexpr std::int64_t kAhead = 4;
  for_row_tiles(count, width, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      if (i + kAhead < last)
        for (std::size_t line = 0; line < bytes; line += 64)
          __builtin_prefetch(from + static_cast<std::size_t>(rows[i + kAhead]) * bytes + line);
      std::memcpy(to + static_cast<std::size_t>(i) * bytes, from + static_cast<std::size_t>(rows[i]) * bytes,
                  bytes);
    }
  });
  return y;
}

}  // namespace linnet::kernels
