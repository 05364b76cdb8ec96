// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/pool.h"

#include "linnet/core/kernels/pool_naive.h"
#include "linnet/core/kernels/pool_table.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {

LINNET_SELECT_TABLE(PoolTable, pool)

namespace {

/// Sizes of one image, and how the images of x and y follow each other.
struct PoolPlan {
  PoolSizes sizes;
  std::int64_t images, x_image, y_image, work;
  Shape y;

  PoolPlan(const Shape& x, const Window& w) {
    LINNET_ASSERT(w.dilation == Pair(1));
    sizes = {.H = x[1],
             .W = x[2],
             .C = x[3],
             .YH = w.out.h,
             .YW = w.out.w,
             .KH = w.kernel.h,
             .KW = w.kernel.w,
             .stride_h = w.stride.h,
             .stride_w = w.stride.w,
             .top = w.top,
             .left = w.left};
    images = x[0];
    x_image = x[1] * x[2] * x[3];
    y = Shape{x[0], w.out.h, w.out.w, x[3]};
    y_image = y[1] * y[2] * y[3];
    work = images * y_image * w.kernel.h * w.kernel.w;
  }
  DType index_type() const { return sizes.KH * sizes.KW <= 256 ? u8 : i32; }
};

/// Runs body(place of image n in x, place in y) for every image.
template <class Body>
void for_each_image(const PoolPlan& plan, Body body) {
  parallel_for(plan.images, plan.work, [&](std::int64_t n) { body(n * plan.x_image, n * plan.y_image); });
}

/// f32 on the active instruction set; f64 by the naive form, which always has an i32 index.
void max_forward(const PoolPlan& plan, const Tensor& x, Tensor& y, Tensor& index) {
  const PoolTable& table = pool_kernels();
  for_each_image(plan, [&](std::int64_t from, std::int64_t to) {
    if (x.dtype() == f64)
      naive::max_forward(plan.sizes, readable<double>(x) + from, writable<double>(y) + to,
                         writable<std::int32_t>(index) + to);
    else if (!index.defined() || index.dtype() == u8)
      table.max_forward(plan.sizes, readable<float>(x) + from, writable<float>(y) + to,
                        index.defined() ? writable<std::uint8_t>(index) + to : nullptr);
    else
      table.max_forward_wide(plan.sizes, readable<float>(x) + from, writable<float>(y) + to,
                             writable<std::int32_t>(index) + to);
  });
}

template <class T, class I>
void naive_max_backward(const PoolPlan& plan, const Tensor& dy, const Tensor& index, Tensor& dx) {
  for_each_image(plan, [&](std::int64_t to, std::int64_t from) {
    naive::max_backward(plan.sizes, readable<T>(dy) + from, readable<I>(index) + from, writable<T>(dx) + to);
  });
}

}  // namespace

MaxPool max_pool2d(const Tensor& x, const Window& window, bool want_index) {
  const PoolPlan plan(x.shape(), window);
  MaxPool result{Tensor::empty(plan.y, x.dtype()), {}};
  const DType type = plan.index_type();
  if (x.dtype() == f64) {
    Tensor places = Tensor::empty(plan.y, i32);
    max_forward(plan, x, result.y, places);
    if (want_index) result.index = places.to(type);
  } else {
    if (want_index) result.index = Tensor::empty(plan.y, type);
    max_forward(plan, x, result.y, result.index);
  }
  return result;
}

Tensor max_pool2d_grad(const Tensor& dy, const Tensor& index, const Shape& x, const Window& window) {
  const PoolPlan plan(x, window);
  Tensor dx = Tensor::empty(x, dy.dtype());
  const PoolTable& table = pool_kernels();
  const bool bytes = index.dtype() == u8;
  if (dy.dtype() == f64) {
    if (bytes)
      naive_max_backward<double, std::uint8_t>(plan, dy, index, dx);
    else
      naive_max_backward<double, std::int32_t>(plan, dy, index, dx);
    return dx;
  }
  for_each_image(plan, [&](std::int64_t to, std::int64_t from) {
    const float* gradient = readable<float>(dy) + from;
    float* target = writable<float>(dx) + to;
    if (bytes)
      table.max_backward(plan.sizes, gradient, readable<std::uint8_t>(index) + from, target);
    else
      table.max_backward_wide(plan.sizes, gradient, readable<std::int32_t>(index) + from, target);
  });
  return dx;
}

Tensor avg_pool2d(const Tensor& x, const Window& window) {
  const PoolPlan plan(x.shape(), window);
  Tensor y = Tensor::empty(plan.y, x.dtype());
  for_each_image(plan, [&](std::int64_t from, std::int64_t to) {
    if (x.dtype() == f64)
      naive::average_forward(plan.sizes, readable<double>(x) + from, writable<double>(y) + to);
    else
      pool_kernels().average_forward(plan.sizes, readable<float>(x) + from, writable<float>(y) + to);
  });
  return y;
}

Tensor avg_pool2d_grad(const Tensor& dy, const Shape& x, const Window& window) {
  const PoolPlan plan(x, window);
  Tensor dx = Tensor::empty(x, dy.dtype());
  for_each_image(plan, [&](std::int64_t to, std::int64_t from) {
    if (dy.dtype() == f64)
      naive::average_backward(plan.sizes, readable<double>(dy) + from, writable<double>(dx) + to);
    else
      pool_kernels().average_backward(plan.sizes, readable<float>(dy) + from, writable<float>(dx) + to);
  });
  return dx;
}

}  // namespace linnet::kernels
