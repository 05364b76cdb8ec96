// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/conv.h"

#include <algorithm>

#include "linnet/core/kernels/conv_plan.h"
#include "linnet/core/kernels/matmul_naive.h"
#include "linnet/core/tensor_impl.h"

namespace linnet::kernels {

void conv_forward(const ConvPlan& plan, const float* x, const float* weight, const Epilogue& end, float* y) {
  if (plan.is_product())
    return gemm(plan.N * plan.H * plan.W, plan.O, plan.C, {x, plan.C, 1}, {weight, 1, plan.C}, y, end);
  if (plan.is_depthwise()) return conv_depthwise(plan, x, weight, end, y);
  conv_direct(plan, x, weight, end, y);
}

void conv_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx) {
  if (plan.is_product())
    return gemm(plan.N * plan.H * plan.W, plan.C, plan.O, {dy, plan.O, 1}, {weight, plan.C, 1}, dx);
  if (plan.is_depthwise()) return conv_depthwise_grad_input(plan, dy, weight, dx);
  conv_direct_grad_input(plan, dy, weight, dx);
}

void conv_add_images(const ConvPlan& plan, const float* dy, const float* x, Index count, bool first,
                     float* partial) {
  if (plan.is_depthwise()) return conv_depthwise_add_images(plan, dy, x, count, first, partial);
  conv_direct_add_images(plan, dy, x, count, first, partial);
}

namespace {

void forward(const ConvPlan& plan, const float* x, const float* weight, const float* bias, bool relu,
             float* y) {
  conv_forward(plan, x, weight, {bias, relu}, y);
}

void forward(const ConvPlan& plan, const double* x, const double* weight, const double* bias, bool relu,
             double* y) {
  for (Index place = 0; place < plan.N * plan.YH * plan.YW; ++place)
    for (Index o = 0; o < plan.O; ++o) y[place * plan.O + o] = bias ? bias[o] : 0.0;
  naive::conv2d(plan.N, plan.C, plan.O, plan.G, plan.window, x, weight, y);
  if (relu) naive::relu(plan.N * plan.YH * plan.YW * plan.O, y);
}

void grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx) {
  conv_grad_input(plan, dy, weight, dx);
}

void grad_input(const ConvPlan& plan, const double* dy, const double* weight, double* dx) {
  std::fill_n(dx, plan.N * plan.H * plan.W * plan.C, 0.0);
  naive::conv2d_grad_input(plan.N, plan.C, plan.O, plan.G, plan.window, dy, weight, dx);
}

// Not a matrix product even for a 1x1 kernel: whole images are what threads share.
void grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight) {
  if (plan.is_depthwise()) return conv_depthwise_grad_weight(plan, dy, x, dweight);
  conv_direct_grad_weight(plan, dy, x, dweight);
}

void grad_weight(const ConvPlan& plan, const double* dy, const double* x, double* dweight) {
  std::fill_n(dweight, plan.O * plan.terms, 0.0);
  naive::conv2d_grad_weight(plan.N, plan.C, plan.O, plan.G, plan.window, dy, x, dweight);
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window& window,
              std::int64_t groups, bool relu) {
  const ConvPlan plan(x.shape(), weight.shape(), window, groups);
  Tensor y = Tensor::empty({plan.N, plan.YH, plan.YW, plan.O}, x.dtype());
  dispatch_float("conv2d", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    forward(plan, readable<T>(x), readable<T>(weight), bias.defined() ? readable<T>(bias) : nullptr, relu,
            writable<T>(y));
  });
  return y;
}

Tensor conv2d_grad_input(const Tensor& dy, const Tensor& weight, const Shape& x, const Window& window,
                         std::int64_t groups) {
  const ConvPlan plan(x, weight.shape(), window, groups);
  Tensor dx = Tensor::empty(x, dy.dtype());
  dispatch_float("conv2d", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    grad_input(plan, readable<T>(dy), readable<T>(weight), writable<T>(dx));
  });
  return dx;
}

Tensor conv2d_grad_weight(const Tensor& dy, const Tensor& x, const Shape& weight, const Window& window,
                          std::int64_t groups) {
  const ConvPlan plan(x.shape(), weight, window, groups);
  Tensor dweight = Tensor::empty(weight, dy.dtype());
  dispatch_float("conv2d", dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    grad_weight(plan, readable<T>(dy), readable<T>(x), writable<T>(dweight));
  });
  return dweight;
}

}  // namespace linnet::kernels
