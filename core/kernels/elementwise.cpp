// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/elementwise.h"

#include <atomic>

#include "linnet/core/kernels/elementwise_table.h"
#include "linnet/core/kernels/loop_nest.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {
namespace {

LINNET_FLOAT_TABLE(ElementwiseKernels, elementwise, naive_elementwise)

// Scalar operations an element costs, roughly: transcendental functions weigh more than additions.
constexpr std::int64_t kCost = 4;

int unary_row(Op op) {
  LINNET_ASSERT(static_cast<int>(op) < kUnaryRows);
  return static_cast<int>(op);
}

int binary_row(Op op) {
  const int row = static_cast<int>(op) - kUnaryRows;
  LINNET_ASSERT(row >= 0 && row < kBinaryRows);
  return row;
}

/// The elements at an offset, or null for an undefined tensor.
template <class T>
const T* values_at(const Tensor& t, std::int64_t offset) {
  return t.defined() ? readable<T>(t) + offset : nullptr;
}

/// Operands a and b over a dense result y; an undefined operand stands still.
LoopNest<3> broadcast_nest(const Shape& y, const Tensor& a, const Tensor& b) {
  const auto y_strides = broadcast_strides(y, y);
  const auto a_strides = a.defined() ? broadcast_strides(a.shape(), y) : y_strides;
  const auto b_strides = b.defined() ? broadcast_strides(b.shape(), y) : y_strides;
  LoopNest<3> nest;
  for (int i = 0; i < y.rank(); ++i) nest.add(y[i], {y_strides[i], a_strides[i], b_strides[i]});
  nest.finish();
  return nest;
}

/// run(plane, y offset, a offset, b offset) in parallel for all of the nest.
template <class Run>
void for_planes(const LoopNest<3>& nest, Run run) {
  const std::int64_t n = nest.columns();
  const int last = nest.rank - 1;
  const auto& step = nest.stride[last];
  const auto& row_step = nest.stride[last - 1];
  const auto plane = [&](std::int64_t rows, std::int64_t columns) {
    return Plane{rows, columns, row_step[1], row_step[2], step[1] != 0, step[2] != 0};
  };
  if (nest.rows() == 1) {
    for_tiles(n, kCost, [&](std::int64_t begin, std::int64_t count) {
      run(plane(1, count), begin, begin * step[1], begin * step[2]);
    });
    return;
  }
  for_row_tiles(nest.rows(), n, kCost, [&](std::int64_t first, std::int64_t end) {
    nest.for_runs(first, end, [&](const auto& offset, std::int64_t rows, std::int64_t row) {
      run(plane(rows, n), row * n, offset[1], offset[2]);
    });
  });
}

}  // namespace

Tensor unary(Op op, const Tensor& x, double p, double q) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(name(op), x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = elementwise_kernels<T>().unary[unary_row(op)];
    for_tiles(x.size(), kCost, [&](std::int64_t begin, std::int64_t n) {
      kernel(readable<T>(x) + begin, writable<T>(y) + begin, n, static_cast<T>(p), static_cast<T>(q));
    });
  });
  return y;
}

Tensor unary_grad(Op op, const Tensor& x, const Tensor& y, const Tensor& dy, double p, double q,
                  Tensor into) {
  Tensor dx = into.defined() ? std::move(into) : Tensor::empty(dy.shape(), dy.dtype());
  dispatch_float(name(op), dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = elementwise_kernels<T>().unary_grad[unary_row(op)];
    for_tiles(dy.size(), kCost, [&](std::int64_t begin, std::int64_t n) {
      kernel(values_at<T>(x, begin), values_at<T>(y, begin), readable<T>(dy) + begin, writable<T>(dx) + begin,
             n, static_cast<T>(p), static_cast<T>(q));
    });
  });
  return dx;
}

Tensor binary(Op op, const Tensor& a, const Tensor& b) {
  const std::string_view op_name = name(op);
  check<DTypeError>(a.dtype() == b.dtype(), op_name, ": element types differ: ", a.dtype(), " and ",
                    b.dtype(), ". Convert one with to().");
  Tensor y = Tensor::empty(broadcast(op_name.data(), a.shape(), b.shape()), a.dtype());
  dispatch_float(op_name, a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = elementwise_kernels<T>().binary[binary_row(op)];
    for_planes(broadcast_nest(y.shape(), a, b),
               [&](const Plane& plane, std::int64_t to, std::int64_t from_a, std::int64_t from_b) {
                 kernel(readable<T>(a) + from_a, readable<T>(b) + from_b, writable<T>(y) + to, plane);
               });
  });
  return y;
}

Tensor binary_grad(Op op, int side, const Tensor& a, const Tensor& b, const Tensor& dy) {
  Tensor dx = Tensor::empty(dy.shape(), dy.dtype());
  dispatch_float(name(op), dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = elementwise_kernels<T>().binary_grad[side][binary_row(op)];
    for_planes(broadcast_nest(dy.shape(), a, b),
               [&](const Plane& plane, std::int64_t to, std::int64_t from_a, std::int64_t from_b) {
                 kernel(values_at<T>(a, from_a), values_at<T>(b, from_b), readable<T>(dy) + to,
                        writable<T>(dx) + to, plane);
               });
  });
  return dx;
}

Tensor scale(const Tensor& x, double factor) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float("scale", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(x.size(), 1, [&](std::int64_t begin, std::int64_t n) {
      elementwise_kernels<T>().scale(readable<T>(x) + begin, writable<T>(y) + begin, n,
                                     static_cast<T>(factor));
    });
  });
  return y;
}

void accumulate(Tensor& y, const Tensor& x, double factor) {
  check<ShapeError>(x.shape() == y.shape(), "accumulate: shapes differ: ", y.shape(), " += ", x.shape(), ".");
  check<DTypeError>(x.dtype() == y.dtype(), "accumulate: element types differ: ", y.dtype(),
                    " += ", x.dtype(), ". Convert one with to().");
  dispatch_float("accumulate", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(x.size(), 1, [&](std::int64_t begin, std::int64_t n) {
      elementwise_kernels<T>().accumulate(readable<T>(x) + begin, writable<T>(y) + begin, n,
                                          static_cast<T>(factor));
    });
  });
  y.impl()->storage->bump_version();
}

void scale_in_place(Tensor& y, double factor) {
  dispatch_float("scale_in_place", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(y.size(), 1, [&](std::int64_t begin, std::int64_t n) {
      T* part = writable<T>(y) + begin;
      elementwise_kernels<T>().scale(part, part, n, static_cast<T>(factor));
    });
  });
  y.impl()->storage->bump_version();
}

bool all_finite(const Tensor& x) {
  if (!is_float(x.dtype())) return true;
  std::atomic<bool> finite = true;
  dispatch_float("all_finite", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(x.size(), 1, [&](std::int64_t begin, std::int64_t n) {
      if (!elementwise_kernels<T>().all_finite(readable<T>(x) + begin, n))
        finite.store(false, std::memory_order_relaxed);
    });
  });
  return finite;
}

}  // namespace linnet::kernels
