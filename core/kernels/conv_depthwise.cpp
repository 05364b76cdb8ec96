// SPDX-License-Identifier: Apache-2.0
// Convolution with one filter for each channel.

#include "linnet/core/kernels/conv_depthwise_table.h"

#include <algorithm>

#include "linnet/core/kernels/conv_plan.h"
#include "linnet/core/kernels/gemm_scratch.h"
#include "linnet/core/kernels/select.h"
#include "linnet/core/parallel.h"

namespace linnet::kernels {

LINNET_SELECT_TABLE(DepthwiseTable, depthwise)

namespace {

Depthwise depthwise_sizes(const ConvPlan& plan) {
  const Window& w = plan.window;
  const Index row = plan.PW * plan.C;
  return {.C = plan.C,
          .YH = plan.YH,
          .YW = plan.YW,
          .KH = plan.KH,
          .KW = plan.KW,
          .x_line = w.stride.h * row,
          .x_pixel = w.stride.w * plan.C,
          .x_tap_line = w.dilation.h * row,
          .x_tap_pixel = w.dilation.w * plan.C};
}

/// [C][taps] as [taps][C], for the lanes.
const float* taps_first(const ConvPlan& plan, const float* weight) {
  float* turned = scratch(Scratch::packed, plan.C * plan.terms);
  gemm_table().transpose(weight, plan.terms, plan.C, plan.terms, turned, plan.C);
  return turned;
}

}  // namespace

void conv_depthwise(const ConvPlan& plan, const float* x, const float* weight, const float* bias, float* y) {
  const Depthwise d = depthwise_sizes(plan);
  const float* taps = taps_first(plan, weight);
  parallel_for(plan.N, plan.N * plan.image_work(), [&](std::int64_t n) {
    const float* image = padded_rows(plan, x + n * plan.H * plan.W * plan.C, 0, plan.PH);
    depthwise_kernels().forward(d, image, taps, bias, y + n * plan.YH * plan.YW * plan.C);
  });
}

void conv_depthwise_grad_input(const ConvPlan& plan, const float* dy, const float* weight, float* dx) {
  const Depthwise d = depthwise_sizes(plan);
  const float* taps = taps_first(plan, weight);
  parallel_for(plan.N, plan.N * plan.image_work(), [&](std::int64_t n) {
    float* image = dx + n * plan.H * plan.W * plan.C;
    const Index size = plan.PH * plan.PW * plan.C;
    float* target = plan.padded() ? scratch(Scratch::image, size) : image;
    std::fill_n(target, size, 0.0f);
    depthwise_kernels().grad_input(d, dy + n * plan.YH * plan.YW * plan.C, taps, target);
    if (plan.padded()) copy_inside(plan, target, {0, plan.PH}, image);
  });
}

void conv_depthwise_grad_weight(const ConvPlan& plan, const float* dy, const float* x, float* dweight) {
  const Depthwise d = depthwise_sizes(plan);
  const Index size = plan.C * plan.terms, groups = image_groups(plan);
  float* partial = scratch(Scratch::partial, groups * size);
  std::fill_n(partial, groups * size, 0.0f);
  parallel_for(groups, plan.N * plan.image_work(), [&](std::int64_t group) {
    const Band images = band(group, groups, plan.N, 1);
    for (Index n = images.begin; n < images.end; ++n) {
      const float* image = padded_rows(plan, x + n * plan.H * plan.W * plan.C, 0, plan.PH);
      depthwise_kernels().grad_weight(d, dy + n * plan.YH * plan.YW * plan.C, image, partial + group * size);
    }
  });
  add_partials(partial, groups, size);
  gemm_table().transpose(partial, plan.C, plan.terms, plan.C, dweight, plan.terms);
}

}  // namespace linnet::kernels
